"""Holds files and functions to their budgets: files p90 under 200 lines and none over 400, functions median under 10
lines and p90 under 30. What outgrows this usually holds two ideas.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAM = ("app", "workers", "emails", "tools")
EVERYTHING = (*PROGRAM, "tests", "benchmarks")
MOST_LINES, FILE_P90, FUNCTION_MEDIAN, FUNCTION_P90 = 400, 200, 10, 30


def percentile(sizes: list[int], share: float) -> int:
    """The size that `share` of all sizes do not exceed; 0 for none."""
    return sorted(sizes)[min(int(len(sizes) * share), len(sizes) - 1)] if sizes else 0


def files(folders: tuple[str, ...]) -> dict[Path, int]:
    """Lines of each Python file."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return {path: len(path.read_text().splitlines()) for path in found}


def functions(folders: tuple[str, ...]) -> Iterator[int]:
    """Lines of each function, its decorators and docstring not counted."""
    for path in files(folders):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                yield (body[-1].end_lineno or 0) - body[0].lineno + 2 if body else 1


def problems() -> Iterator[str]:
    """What is over budget, in words."""
    for path, lines in files(EVERYTHING).items():
        if lines > MOST_LINES:
            yield f"{path.relative_to(ROOT)} has {lines} lines; {MOST_LINES} is the most"
    if (p90 := percentile(list(files(PROGRAM).values()), 0.9)) >= FILE_P90:
        yield f"nine in ten files have up to {p90} lines; {FILE_P90} is the budget"
    sizes = list(functions(PROGRAM))
    if (median := percentile(sizes, 0.5)) >= FUNCTION_MEDIAN:
        yield f"half of all functions have up to {median} lines; {FUNCTION_MEDIAN} is the budget"
    if (p90 := percentile(sizes, 0.9)) >= FUNCTION_P90:
        yield f"nine in ten functions have up to {p90} lines; {FUNCTION_P90} is the budget"


def main() -> int:
    found = list(problems())
    for line in found:
        print(line)
    sizes, lines = list(functions(PROGRAM)), list(files(PROGRAM).values())
    print(
        f"{len(lines)} files, p90 {percentile(lines, 0.9)}, largest {max(lines)} lines; {len(sizes)} functions,"
        f" median {percentile(sizes, 0.5)}, p90 {percentile(sizes, 0.9)} lines"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
