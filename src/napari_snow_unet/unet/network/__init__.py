"""The U-Net: its config, its layers, the memory it needs, and its prediction."""
