"""Rehearsal: a campaign played through the real code on invented customers, in a room of its own, before it is used.

The room is a private database schema, a pretend Stripe, a clock and a folder for mails. Nothing here reads or writes
the rows of real cases while it plays, and nothing it does can reach a customer, Stripe or a mail server.
"""
