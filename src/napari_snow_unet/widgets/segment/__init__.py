"""The dock that segments."""
