"""How planners are compared: one contest, many contestants, the same luck for all. The face of it is `evaluation`."""
