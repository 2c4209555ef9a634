"""E-mail addresses by their form alone; nobody is asked whether they exist."""

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

LONGEST = 254  # RFC 5321


def is_address(address: str) -> bool:
    """Whether `address` can be written to (RFC 5322, 6531).

    Addresses under `.test` pass (RFC 2606), because rehearsals are written to them.
    """
    try:
        _read(address)
    except EmailNotValidError:
        return False
    return True


def is_worth_keeping(address: str) -> bool:
    """Whether `address`, as somebody typed it, may be kept: an address of usual length whose domain is more than a bare
    host, which is nearly always half of one.
    """
    return len(address) <= LONGEST and is_address(address) and "." in address.rpartition("@")[2]


def on_the_wire(address: str) -> str:
    """`address` with its domain in ASCII letters where its first part allows that; such a mail needs no SMTPUTF8."""
    return _read(address).ascii_email or address


def _read(address: str) -> ValidatedEmail:
    return validate_email(address, check_deliverability=False, globally_deliverable=False, test_environment=True)
