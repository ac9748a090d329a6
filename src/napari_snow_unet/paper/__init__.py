"""The paper's experiment, step by step from the released archives to the figures."""
