"""Mails to the customer: who is written to and when, the outbox that survives crashes, and how a mail leaves."""
