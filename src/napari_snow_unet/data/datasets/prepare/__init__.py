"""Prepare a dataset from SNOW or other images and masks."""
