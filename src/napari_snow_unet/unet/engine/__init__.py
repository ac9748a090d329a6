"""Keras' engines: which one, on which device, and how to live with it in one process."""
