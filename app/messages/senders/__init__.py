"""The ways a mail can leave. What is said and who is written to is decided elsewhere."""
