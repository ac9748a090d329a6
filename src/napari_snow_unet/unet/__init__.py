"""The U-Net: its engines, models and trainings; the only package that imports Keras."""
