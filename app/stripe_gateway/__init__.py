"""The one door to Stripe: typed in, typed out, tolerant of old API versions. Nothing else imports its library."""
