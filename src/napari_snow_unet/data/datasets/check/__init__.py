"""Check a dataset for problems."""
