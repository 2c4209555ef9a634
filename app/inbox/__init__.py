"""Webhooks in: received and kept in one statement, handled later by workers, one handler a file."""
