"""A pretend Stripe: stateful billing, card issuers, signed webhooks and a clock that can be turned.

It serves Stripe's HTTP interface on its own port and shares no code with the gateway that it is there to test. It knows
nothing of recovery cases, campaigns or mails.
"""
