"""Arrays against arrays, plane by plane."""
