"""Which image belongs to which mask."""
