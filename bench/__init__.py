"""Measurements: each writes a JSON result and a picture into bench/results/."""
