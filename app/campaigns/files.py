"""Campaigns as a YAML file that people write, keep and compare: read with the line of whatever is wrong, and written.

YAML as of 1.2: `NO` is Norway and `21:00` a time. What is left out has its default, and is left out when written.
"""

import re
from collections.abc import Hashable, Iterable
from decimal import Decimal
from typing import Annotated, Any, cast

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.campaigns.definition import CampaignDefinition
from app.campaigns.every_problem import every_problem
from app.campaigns.problems import Path, Problem
from app.campaigns.strict import CampaignInvalid, Strict, Wrong

LONGEST = 500_000  # characters; a file of fifty campaigns has some 60,000


class CampaignFileInvalid(CampaignInvalid):
    """A file cannot be used; the text has a line for each thing that is wrong."""


class Entry(CampaignDefinition):
    """One campaign of a file: its definition, and what its row says besides."""

    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    default: bool = False
    archived: bool = False

    @model_validator(mode="after")
    def _can_be_used(self) -> "Entry":
        if self.default and self.archived:
            told = "the default campaign cannot be archived; make another one the default first"
            raise Wrong([(("archived",), told)])
        if self.segment is None and not (self.default or self.archived):
            raise ValueError("segment is missing: say for whom this campaign is, or make it the default")
        return self

    def definition(self) -> CampaignDefinition:
        """The content of a version."""
        return CampaignDefinition(**{name: getattr(self, name) for name in CampaignDefinition.model_fields})


class CampaignFile(Strict):
    """The campaigns of a file, in the order in which they are asked whether they cover a case."""

    campaigns: tuple[Entry, ...] = Field(max_length=200)

    @model_validator(mode="after")
    def _no_two_alike(self) -> "CampaignFile":
        if not self.campaigns:
            raise ValueError("the list of campaigns is empty; the file has to have one at least")
        slugs = [entry.slug for entry in self.campaigns]
        defaults = [place for place, entry in enumerate(self.campaigns) if entry.default]
        wrong: list[tuple[Path, str]] = [
            (("campaigns", place, "slug"), f"the slug {slug} is there twice; every campaign has its own")
            for place, slug in enumerate(slugs)
            if slug in slugs[:place]
        ]
        more = "two campaigns say `default: true`; there is one default"
        wrong += [(("campaigns", place, "default"), more) for place in defaults[1:]]
        if wrong:
            raise Wrong(wrong)
        return self


def read_file(text: str) -> CampaignFile:
    """The campaigns in `text`; raises `CampaignFileInvalid`."""
    content, root = _load(text)
    if not isinstance(content, dict) or "campaigns" not in content:
        raise CampaignFileInvalid(
            "the file has to begin with `campaigns:` and list campaigns under it, each with a dash"
        )
    try:
        return CampaignFile.model_validate(content)
    except ValidationError as error:
        raise CampaignFileInvalid(_told(every_problem(content, CampaignFile), root)) from error


def read_value(text: str) -> Any:
    """What a piece of YAML says; raises `CampaignFileInvalid`."""
    return _load(text)[0]


def write_file(entries: Iterable[Entry]) -> str:
    """The same as a file, without what is as it is by default."""
    listed = [_short(entry) for entry in entries]
    return yaml.dump({"campaigns": listed}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def write_value(value: Any) -> str:
    """A piece of YAML, such as a segment alone."""
    written: str = yaml.dump(_with_numbers(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return written.removesuffix("...\n")


def _short(entry: Entry) -> dict[str, Any]:
    content = entry.model_dump(mode="json", exclude_defaults=True)
    first = {name: content.pop(name) for name in ("slug", "name", "default", "archived") if name in content}
    rest: dict[str, Any] = _with_numbers(content)
    return first | rest


def _with_numbers(content: Any) -> Any:
    """Ends of amounts as numbers; JSON keeps them as text, so that no digit is lost."""
    if isinstance(content, list):
        return [_with_numbers(each) for each in content]
    if not isinstance(content, dict):
        return int(content) if isinstance(content, float) and content == int(content) else content
    return {
        key: Decimal(value) if key in ("at_least", "at_most") and isinstance(value, str) else _with_numbers(value)
        for key, value in content.items()
    }


def _told(problems: list[Problem], root: Node | None) -> str:
    found = sorted((_line(root, problem.path), place, problem) for place, problem in enumerate(problems))
    lines = [f"line {line}: {problem}" for line, _, problem in found]
    count = "one thing" if len(lines) == 1 else f"{len(lines)} things"
    return "\n".join([f"the file has {count} to mend:", *lines])


def _line(node: Node | None, path: Path) -> int:
    """The line of what stands at `path`, or of the nearest thing around it."""
    line = node.start_mark.line + 1 if node else 1
    for part in path:
        key, node = _step(node, part)
        if node is None:
            return line
        line = (key or node).start_mark.line + 1
    return line


def _step(node: Node | None, part: str | int) -> tuple[Node | None, Node | None]:
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), (None, None))
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None, None


def _load(text: str) -> tuple[Any, Node | None]:
    if len(text) > LONGEST:
        raise CampaignFileInvalid(f"the file is longer than {LONGEST} characters; split it into several")
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        return loader.construct_document(root) if root else None, root
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        is_ours = type(error) is yaml.MarkedYAMLError
        said = error.problem if is_ours else f"this is no YAML, {error.problem}; look at dashes, colons and spaces"
        raise CampaignFileInvalid(f"line {line}: {said}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CampaignFileInvalid(f"this is no YAML that can be read: {error}") from error


class _Loader(yaml.SafeLoader):
    """Safe, as YAML 1.2 reads words, without keys that stand twice, values that stand in for others, and kinds."""

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = cast(Any, self).peek_event()  # its stub says nothing of types
        problem = None
        if isinstance(event, yaml.AliasEvent):
            problem = "a *name stands for something written elsewhere; write it out"
        elif getattr(event, "tag", None):
            problem = "a word with ! says of what kind a value is; take it out, or put the value in quotes"
        if problem:
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Every key is a word, also one that looks like a number."""
        content: dict[Hashable, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key has to be a word", problem_mark=key.start_mark)
            if key.value in content:
                raise yaml.MarkedYAMLError(problem=f"{key.value} is there twice; keep one", problem_mark=key.start_mark)
            content[key.value] = self.construct_object(value, deep=deep)
        return content


_Loader.yaml_implicit_resolvers = {}  # none of YAML 1.1's; those of 1.2 follow
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$", "-+0123456789."),
    ("tag:yaml.org,2002:null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


class _Dumper(yaml.SafeDumper):
    """Short lists of words on one line, items of a list set in."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _represent_list(dumper: _Dumper, value: list[Any]) -> Node:
    is_short = all(not isinstance(each, dict | list) for each in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=is_short)


def _represent_decimal(dumper: _Dumper, value: Decimal) -> Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{value:f}")


_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(Decimal, _represent_decimal)
