"""The recovery case: its life, its plan, and the one writer of its state."""
