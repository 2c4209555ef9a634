"""Greeting by the first name only where it surely is one."""

import pytest

from app.messages.names import first_name


@pytest.mark.parametrize(
    ("name", "locale", "expected"),
    [
        ("Anna Schmidt", "de-DE", "Anna"),
        ("Jean-Luc Picard", "fr", "Jean-Luc"),
        ("Zoë", "en", "Zoë"),
        ("O’Neill Ann", "en", "O’Neill"),
        ("Schmidt, Anna", "de", None),
        ("Dr. Anna Schmidt", "de", None),
        ("ACME GmbH", "de", None),
        ("Northwind Trading Inc.", "en", None),
        ("4711 Labs", "en", None),
        ("anna@example.com", "en", None),
        ("J. Doe", "en", None),
        ("<b>Anna</b>", "en", None),
        ("山田 太郎", "ja", None),
        ("Nagy Anna", "hu-HU", None),
        ("山田 太郎", "en", None),
        ("김민수", "en-US", None),
        ("JEAN-LUC PICARD", "fr", "Jean-Luc"),
        ("o’brien", "en", "O’Brien"),
        ("jana müller", "de", "Jana"),
        ("McKenzie Ray", "en", "McKenzie"),
        ("van Dijk", "nl", None),
        ("Von der Leyen", "de", None),
        ("سارة أحمد", "ar", "سارة"),
        ("عبد الرحمن أحمد", "ar", None),
        ("شركة النور", "ar", None),
        ("Padaria Silva LTDA", "pt-BR", None),
        ("Kwiaty Sp. z o.o.", "pl", None),
        ("Świetlana Nowak", "pl", "Świetlana"),
        ("   ", "en", None),
        (None, "en", None),
    ],
)
def test_a_name_that_is_in_doubt_is_left_out(name: str | None, locale: str, expected: str | None) -> None:
    assert first_name(name, locale) == expected
