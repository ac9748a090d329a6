"""Outlines somebody has drawn: files of them, from and to pixels."""
