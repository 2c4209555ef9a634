"""What became of failed payments, counted from rows. Definitions: docs/metrics.md. Changes nothing."""
