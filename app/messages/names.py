"""How to greet somebody whose name is one free text field. When in doubt, by no name at all."""

import re
import unicodedata

_TITLES = frozenset(
    "dr dr. mr mr. mrs mrs. ms ms. miss prof prof. sir madam herr frau m. mme mlle sr. sra. don doña sig. sig.ra dott."
    " dott.ssa avv. ing. senhor senhora dhr. mevr. pan pani السيد السيدة الدكتور الدكتورة د.".split()
)
_COMPANY = frozenset(
    "ab ag aktiebolag as aps asa bv b.v. co co. company corp corp. corporation e.k. eireli ev e.v. foundation gbr gmbh"
    " group holding inc inc. kft kg kk limited llc llp ltd ltd. ltda ltda. nv n.v. oy oyj plc pty sa s.a. sarl s.a.r.l."
    " sas s.a.s. se sl s.l. s.l.u. spa s.p.a. sp. spółka srl s.r.l. stichting stiftung studio studios team ug"
    " university université verein vof شركة مؤسسة".split()
)
# Words that begin a family name, or a given name of two words of which the first alone would be another.
_HALVES = frozenset(
    "al bin da de del den der di do du el ibn la le ter van von abd abdul abu عبد أبو ابو أم ام بن".split()
)
# Where the family name comes first, the first word would be the wrong one.
_FAMILY_FIRST = frozenset({"ja", "zh", "ko", "hu", "vi"})
_FAMILY_FIRST_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")
_GIVEN = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


def first_name(name: str | None, locale: str) -> str | None:
    """The given name in `name`, or None for a company, a title, or an order of names we cannot be sure of.

    What was typed in capitals or without any is written as a name.
    """
    words = (name or "").split()
    if not words or _is_family_first(words[0], locale):
        return None
    plain = {word.lower().strip(",") for word in words}
    if plain & (_COMPANY | _TITLES) or "," in (name or "") or words[0].lower() in _HALVES:
        return None
    return _as_name(words[0]) if _GIVEN.fullmatch(words[0]) and 1 < len(words[0]) <= 30 else None


def _is_family_first(word: str, locale: str) -> bool:
    """By the customer's language, or by the script that the name is written in, whatever language they read."""
    is_script = unicodedata.name(word[0], "").startswith(_FAMILY_FIRST_SCRIPTS)
    return is_script or locale.replace("_", "-").split("-")[0].lower() in _FAMILY_FIRST


def _as_name(word: str) -> str:
    return word.title() if word.isupper() or word.islower() else word
