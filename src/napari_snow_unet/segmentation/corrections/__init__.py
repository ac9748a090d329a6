"""Corrections by hand to label images: each a small change to a plane, and how many there were."""
