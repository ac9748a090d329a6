"""Scores of a prediction against ground truth."""
