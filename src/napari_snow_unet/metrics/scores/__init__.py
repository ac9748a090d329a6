"""Scores of one tile and of many."""
