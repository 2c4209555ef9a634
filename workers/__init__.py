"""The processes that do the work: boot, worker, clock, and jobs of a few lines named after the slice they call."""
