"""New objects in the shapes of API version 2026-08-26.dahlia, one file a family. Builders only; no rules."""
