"""Models on disk: read, checked, written, exported."""
