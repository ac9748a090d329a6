"""A training seen from outside: its options, tiles, folder, process; no network library."""
