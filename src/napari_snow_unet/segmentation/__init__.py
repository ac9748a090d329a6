"""Image to labels on plain arrays; the network is passed in as a function."""
