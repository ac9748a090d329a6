"""Comparison of arrays with arrays, plane by plane."""
