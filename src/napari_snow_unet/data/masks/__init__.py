"""Arrays that are labels, masks or neither: what their numbers mean."""
