"""The dock that prepares datasets."""
