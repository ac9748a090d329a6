"""The U-Net itself: its config, its layers, what it takes, and its prediction."""
