"""What a test or a person does to the sandbox from outside: time, customers, failures, faults, and its own books."""
