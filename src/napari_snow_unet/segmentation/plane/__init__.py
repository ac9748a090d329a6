"""One plane, step by step: plain functions on arrays."""
