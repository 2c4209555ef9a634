from markupsafe import Markup

from emails.phrase import compose, link, plain, tidy


def test_strong_marks_of_the_template_become_strong_in_html_only() -> None:
    phrase = compose("Due **{day}** & later", {"day": plain("<Mon>")})
    assert phrase.text == "Due <Mon> & later"
    assert phrase.html == Markup("Due <strong>&lt;Mon&gt;</strong> &amp; later")


def test_strong_marks_in_a_value_stay_stars() -> None:
    phrase = compose("{name}", {"name": plain("**x**")})
    assert (phrase.text, str(phrase.html)) == ("**x**", "**x**")


def test_a_link_keeps_its_markup_and_its_plain_label() -> None:
    phrase = compose("Write to {support}.", {"support": link("a&b@x.example", "mailto:a&b@x.example")})
    assert phrase.text == "Write to a&b@x.example."
    assert '<a href="mailto:a&amp;b@x.example"' in phrase.html


def test_a_value_is_brought_to_one_line() -> None:
    assert tidy(" a\r\n\tb\u202e c\u0000\u2028d ") == "a b c d"


def test_joiners_inside_names_and_emoji_survive() -> None:
    assert tidy("علی‌رضا 👩‍💻") == "علی‌رضا 👩‍💻"


def test_an_endless_value_is_cut() -> None:
    assert tidy("x" * 300, limit=10) == "x" * 9 + "…"
