"""Numbers with what they count, as people write them."""


def many(count: int, noun: str) -> str:
    """ "1 case" and "2 cases"; for nouns that take an s."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
