"""A training seen from outside: options, tiles, folder, process; without network libraries."""
