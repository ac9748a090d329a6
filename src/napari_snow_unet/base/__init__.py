"""Foundations of the package: errors, options, progress, files, processes, locks."""
