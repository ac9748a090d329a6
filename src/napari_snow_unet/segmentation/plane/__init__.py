"""The steps on one plane, as functions on arrays."""
