"""Drawn outlines: reading their files, and converting them to pixels and back."""
