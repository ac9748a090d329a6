"""The dock that compares with the ground truth."""
