"""What is wrong with a dataset, or worth knowing."""
