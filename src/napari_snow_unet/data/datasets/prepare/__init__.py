"""From SNOW or anybody's files to a prepared dataset."""
