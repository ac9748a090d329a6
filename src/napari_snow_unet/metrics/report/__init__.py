"""An evaluation as JSON, CSV and HTML."""
