"""The train dock."""
