"""The dock widgets: forms around the pipeline, no arithmetic."""
