"""Stripe's resources, one a file: each module's `ROUTES` says which requests it answers."""
