"""Names of invented people."""

from random import Random

_FIRST = (
    "Ada Amir Bao Bea Carlos Chiara Dario Elif Emma Farid Freya Gustav Hana Ingrid Ivo Jamal Juno Kaito Kerstin Lena"
    " Liam Mara Mei Nadia Noor Omar Oskar Paula Priya Quentin Rosa Sami Sofia Tariq Tove Uma Viktor Wanda Yara Zoe"
).split()
_LAST = (
    "Albers Bianchi Castro Dubois Eriksen Fontaine Garcia Haddad Ito Jansen Kowalski Lindgren Moreau Nakamura Okafor"
    " Petrov Quist Rossi Sato Tanaka Urban Vargas Weber Xu Yilmaz Zhang"
).split()


def full_name(dice: Random) -> str:
    """A first and a last name."""
    return f"{dice.choice(_FIRST)} {dice.choice(_LAST)}"
