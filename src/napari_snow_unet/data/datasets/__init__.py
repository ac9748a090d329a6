"""Folders of tiles: prepared, divided, checked, looked at."""
