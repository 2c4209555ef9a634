"""The root of every error that is ours. Errors are named for what went wrong and live beside the code that raises."""


class RecoupError(Exception):
    """Anything Recoup itself refuses or cannot do; its text tells a person what to do next."""
