"""An organization's texts as a file: languages, and under each the texts by key, as in

    de:
      reminder.subject: "Noch offen: {amount}"

Reads and writes YAML; what a text may say, and where texts are kept, is known elsewhere.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from app.errors import RecoupError
from emails.wording import editable, ours

LONGEST_FILE = 2_000_000
Texts = Mapping[str, Mapping[str, str | None]]

_HEAD = """\
# Texts of mails: language, key, text. Keys are listed by `recoup mails export --all`; a variant's key has its name
# behind the first part (reminder@b.subject). Without a value (~) a text is ours again.
"""


class TextFileInvalid(RecoupError):
    """The file is no file of texts; the message says where and what is expected."""


def read(content: str) -> dict[str, dict[str, str | None]]:
    """The texts of a file by language and key; None for one that shall be ours again. Raises `TextFileInvalid`."""
    if len(content) > LONGEST_FILE:
        raise TextFileInvalid("the file is far larger than all texts in all languages")
    try:
        found = _OnceOnly(content).get_single_data()
    except yaml.YAMLError as problem:
        raise TextFileInvalid(f"this is no YAML: {problem}") from problem
    if not isinstance(found, dict) or not all(isinstance(texts, dict) for texts in found.values()):
        raise TextFileInvalid("expected languages, and under each of them lines of key: text")
    return {str(language): _texts(str(language), texts) for language, texts in found.items()}


def write(texts: Mapping[str, Mapping[str, str]], complete: tuple[str, ...] = ()) -> str:
    """The file of `texts`; for the languages in `complete` with ours for every text that is not among them."""
    content = {
        language: {**{key: ours(language, key)[0] for key in editable(language)}, **texts.get(language, {})}
        if language in complete
        else dict(texts[language])
        for language in sorted({*texts, *complete})
    }
    return _HEAD + yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=10_000)


def _texts(language: str, given: Mapping[Any, Any]) -> dict[str, str | None]:
    wrong = [str(key) for key, text in given.items() if not (text is None or isinstance(text, str))]
    if wrong:
        raise TextFileInvalid(f"{language}: {', '.join(wrong)} is no text; put it in quotation marks")
    return {str(key): text for key, text in given.items()}


class _OnceOnly(yaml.SafeLoader):
    """Reads what is plain, and refuses a mapping that names a key twice, because one of the two would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise yaml.MarkedYAMLError(problem=f"{', '.join(twice)} is there twice", problem_mark=node.start_mark)
        return dict(super().construct_mapping(node, deep))
