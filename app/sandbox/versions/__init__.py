"""Older API versions: the same objects in the shape that they had before 2025-03-31.basil."""
