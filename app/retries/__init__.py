"""The retry planner: what a decline means, what the networks forbid, and when the next try should be.

Values in, values out. Nothing in here knows a clock, a database, Stripe or Flask.
"""
