"""The paper's experiment from the release to the figures: the same steps, in the same order."""
