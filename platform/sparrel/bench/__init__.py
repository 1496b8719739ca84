"""Measurements: ratios of two sides, taken side by side in one run."""
