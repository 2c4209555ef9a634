"""How to greet somebody whose name is one free text field. When in doubt, by no name at all."""

import re

_TITLES = frozenset(
    "dr dr. mr mr. mrs mrs. ms ms. miss prof prof. sir madam herr frau m. mme mlle sr. sra. don doña".split()
)
_COMPANY = frozenset(
    "ab ag as aps asa bv b.v. co co. company corp corp. corporation e.k. ev e.v. foundation gbr gmbh group holding"
    " inc inc. kft kg limited llc llp ltd ltd. nv n.v. oy plc pty sa s.a. sarl s.a.r.l. sas s.a.s. se sl s.l. spa"
    " s.p.a. srl s.r.l. stiftung studio studios team ug university université verein".split()
)
# Where the family name comes first, the first word would be the wrong one.
_FAMILY_FIRST = frozenset({"ja", "zh", "ko", "hu", "vi"})
_GIVEN = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


def first_name(name: str | None, locale: str) -> str | None:
    """The given name in `name`, or None for a company, a title, or an order of names we cannot be sure of."""
    words = (name or "").split()
    if not words or locale.replace("_", "-").split("-")[0].lower() in _FAMILY_FIRST:
        return None
    plain = {word.lower().strip(",") for word in words}
    if plain & (_COMPANY | _TITLES) or "," in (name or ""):
        return None
    return words[0] if _GIVEN.fullmatch(words[0]) and 1 < len(words[0]) <= 30 else None
