"""The few pages that Stripe shows to a payer, in plain HTML that works without JavaScript."""
