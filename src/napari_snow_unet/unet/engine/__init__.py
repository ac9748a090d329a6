"""Engines that compute networks: OpenVINO and the Keras backends, and their devices."""
