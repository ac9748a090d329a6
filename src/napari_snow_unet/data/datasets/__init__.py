"""Datasets: folders of tiles that are prepared, split, checked and viewed."""
