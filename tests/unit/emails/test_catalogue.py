from pathlib import Path

import pytest

from emails import catalogue, locales
from emails.catalogue import BrokenCatalogue, Catalogue, Plural


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    monkeypatch.setattr(locales, "FOLDER", tmp_path)
    monkeypatch.setattr(catalogue, "load", catalogue.load.__wrapped__)
    monkeypatch.setattr(catalogue, "nearest", catalogue.nearest.__wrapped__)
    monkeypatch.setattr(locales, "languages", locales.languages.__wrapped__)
    monkeypatch.setattr(catalogue, "language_of", locales.language_of.__wrapped__)
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "language", "locale"),
    [
        ("fr-CA", "fr", "fr_CA"),
        ("fr_CA", "fr", "fr_CA"),
        ("FR", "fr", "fr"),
        ("de-Latn-AT", "de", "de_AT"),
        ("de-ZZ", "de", "de_DE"),
        ("ja-JP", "ja", "ja_JP"),
        ("nb-NO", "en", "en"),
        ("", "en", "en"),
        ("pt", "pt-BR", "pt"),
        ("pt-PT", "pt-BR", "pt_PT"),
        ("es-419", "es", "es_419"),
        ("zh", "zh-Hans", "zh"),
        ("zh-SG", "zh-Hans", "zh_Hans_SG"),
        ("zh-TW", "zh-Hans", "zh_Hans"),
        ("zh-Hant-HK", "zh-Hans", "zh_Hans"),
        ("ar-EG", "ar", "ar_EG"),
    ],
)
def test_the_nearest_language_is_taken_and_the_region_kept(asked: str, language: str, locale: str) -> None:
    found, writing = catalogue.nearest(asked)
    assert (found.language, str(writing).replace("_Latn", "")) == (language, locale)


def test_the_more_exact_catalogue_wins(folder: Path) -> None:
    (folder / "pt.yaml").write_text("a: Olá", encoding="utf-8")
    (folder / "pt-BR.yaml").write_text("a: Oi", encoding="utf-8")
    (folder / "en.yaml").write_text("a: Hi", encoding="utf-8")
    known: frozenset[str] = frozenset()
    assert catalogue.nearest("pt-BR")[0].find("a", known) == "Oi"
    assert catalogue.nearest("pt-PT")[0].find("a", known) == "Olá"
    assert catalogue.nearest("zh-Hans")[0].find("a", known) == "Hi"


def test_the_first_text_that_can_be_filled_is_said() -> None:
    texts = Catalogue("en", {"a": ("{name} and {amount}", "{name}", "nobody")})
    assert texts.find("a", frozenset({"name", "amount"})) == "{name} and {amount}"
    assert texts.find("a", frozenset({"name"})) == "{name}"
    assert texts.find("a", frozenset()) == "nobody"


def test_a_text_whose_facts_are_missing_is_not_said() -> None:
    assert Catalogue("en", {"a": ("{name}",)}).find("a", frozenset()) is None


@pytest.mark.parametrize(("count", "form"), [(1, "faktura"), (2, "faktury"), (5, "faktur"), (22, "faktury")])
def test_plural_forms_follow_the_language(count: int, form: str) -> None:
    forms = {"one": "faktura", "few": "faktury", "many": "faktur", "other": "faktury"}
    assert Catalogue("pl", {"a": Plural(forms)}).find("a", frozenset(), count) == form


def test_a_key_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(BrokenCatalogue, match="en: no text for a"):
        Catalogue("en", {}).find("a", frozenset())


@pytest.mark.parametrize("content", ["a: 3", "a: []", "a: [1]", "a: {other: x, several: y}", "a:"])
def test_a_leaf_that_is_no_text_is_an_error(content: str, folder: Path) -> None:
    (folder / "en.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(BrokenCatalogue, match="en: a is neither"):
        catalogue.load("en")
