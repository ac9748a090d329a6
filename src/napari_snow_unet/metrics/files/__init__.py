"""Comparison of files with files."""
