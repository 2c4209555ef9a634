"""Long work at Stripe, one page at a time: begun once, carried on by whoever has the lease, never begun anew."""
