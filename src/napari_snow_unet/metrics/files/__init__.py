"""Files against files."""
