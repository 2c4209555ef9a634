"""Organizations, their people, and the Stripe accounts they connect."""
