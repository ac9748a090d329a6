"""What every other room stands on: errors, progress, files, processes, locks; nothing of images."""
