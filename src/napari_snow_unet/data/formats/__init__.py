"""Labels in files: every format they are read from and written to."""
