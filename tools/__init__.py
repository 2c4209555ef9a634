"""Checks of the project on itself, run by `make check`."""
