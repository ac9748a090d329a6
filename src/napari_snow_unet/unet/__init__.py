"""The network: the only rooms that know Keras."""
