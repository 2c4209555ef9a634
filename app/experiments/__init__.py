"""Experiments: who gets which variant by lot. Nothing here reads a row."""
