"""Evaluations as JSON, CSV and HTML."""
