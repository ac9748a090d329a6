"""Images too large for the memory, as lazy pyramids."""
