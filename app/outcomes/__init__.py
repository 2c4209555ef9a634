"""Final actions: ending, shrinking or pausing a subscription that could not be paid for, and taking that back."""
