"""What Stripe Billing does by itself as time passes. Rules over a `Ledger`; no HTTP and no wall clock."""
