"""A training seen from inside: batches, losses, and the loop over epochs."""
