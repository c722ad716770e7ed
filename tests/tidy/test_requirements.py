"""Requirements and the tests that prove them name one another.

`docs/requirements.md` and `docs/differences.md` have a row for each id; its last cell lists the tests that cite the id, and
`pytest --update-golden tests/tidy` writes it. What a row says is written by hand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.tidy.pages import table_rows
from tests.tidy.source import ROOT

PAGES = ("docs/requirements.md", "docs/differences.md")

#: How many tests a row shows.
SHOWN_COUNT = 2

#: Requirements on execution; short ids, so that only those of this list are ids, and not inside of other words.
EXECUTION_ROWS = tuple(Path(__file__).with_name("execution_rows.txt").read_text("utf-8").split())
_ID = re.compile(
    r"\b(?:H\d{1,2}\.\d{1,2}|D\d{1,2})\b|(?<![\w'.-])(?<![^\"]\")(?:"
    + "|".join(sorted(EXECUTION_ROWS, key=len, reverse=True))
    + r")(?![\w'-])(?!\"(?!\"))"
)
#: Where those short ids are ids: elsewhere E18 is a number.
_ON_EXECUTION = re.compile(r"kernel|venues|journal|simulation|store|dead_code")
#: Tests of a difference carry its number in their name.
_ID_IN_NAME = re.compile(r"def test_d(\d{1,2})_")
#: This file talks about the ids themselves.
_NOT_A_CITATION = "tests/tidy/test_requirements.py"


def citations(files: dict[str, str]) -> dict[str, list[str]]:
    """Return id -> the tests that cite it, `path::test`, or `path` where the citation stands outside of a test."""
    found: dict[str, dict[str, None]] = {}
    for path, text in sorted(files.items()):
        owners = dict(_owners(text))
        for i, line in enumerate(text.splitlines(), 1):
            test = owners.get(i)
            named = [f"D{number}" for number in _ID_IN_NAME.findall(line)]
            for name in _ID.findall(line) + named:
                if name in EXECUTION_ROWS and not _ON_EXECUTION.search(path):
                    continue
                found.setdefault(name, {})[f"{path}::{test}" if test else path] = None
    return {name: list(places) for name, places in found.items()}


def _owners(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, test) for every line of a test: its body, its decorators, and the comment above it."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            while first > 1 and lines[first - 2].lstrip().startswith("#"):
                first -= 1
            yield from ((i, node.name) for i in range(first, (node.end_lineno or node.lineno) + 1))


def proof_cell(places: list[str]) -> str:
    """Write the last cell of a row: tests first, then files."""
    tests = [place for place in places if "::" in place]
    files = [place for place in places if "::" not in place and Path(place).name.startswith("test_")]
    covered = {test.partition("::")[0] for test in tests}
    chosen = (tests + [file for file in files if file not in covered])[:SHOWN_COUNT]
    return ", ".join(f"`{place}`" for place in chosen)


def with_proofs(text: str, cited: dict[str, list[str]]) -> str:
    """Return a page whose rows name the tests that cite them."""
    lines = text.splitlines()
    for i, cells in table_rows(text):
        if _ID.fullmatch(cells[0]):
            lines[i - 1] = f"| {' | '.join([*cells[:-1], proof_cell(cited.get(cells[0], []))])} |"
    return "\n".join(lines) + "\n"


def findings(pages: dict[str, str], cited: dict[str, list[str]]) -> list[str]:
    """Find ids that only one side knows, and rows that stand twice."""
    rows: dict[str, str] = {}
    found = []
    for page, text in pages.items():
        for line, cells in table_rows(text):
            if _ID.fullmatch(cells[0]):
                if cells[0] in rows:
                    found.append(f"{page}:{line}: {cells[0]} stands at {rows[cells[0]]} too; use one row")
                rows[cells[0]] = f"{page}:{line}"
    for name, places in cited.items():
        if name not in rows:
            found.append(f"{places[0]}:1: {name} is cited and has no row; use docs/requirements.md or docs/differences.md")
    for name, place in rows.items():
        if not proof_cell(cited.get(name, [])):
            found.append(f"{place}: no test cites {name}; use the id in the docstring of the test that proves it")
    return sorted(found)


def uncited(cited: Iterable[str]) -> list[str]:
    """Return the requirements on execution that no test cites."""
    return [name for name in EXECUTION_ROWS if name not in set(cited)]


_PLANE = "shared memory: the plane is not built yet"
#: Those that wait for rooms that are not built yet, and why. A row leaves this list when a test cites it; none is added.
LATER = {
    "E16a": "one look-up of an instrument an order is the connectors': the kernel is given names of its own instruments",
    "F8a": "coalescing by key is the projection's (Hazelcast); the tables of `store` have the journal for a spill",
    "F9": _PLANE,
    "F10": _PLANE,
    "F11": _PLANE,
    "F12": _PLANE,
    "F12a": _PLANE,
    "F13": _PLANE,
    "F22": _PLANE,
    "F22b": "control is an input of the journal; a control region in shared memory is not built yet",
    "F22c": "the projection (Hazelcast) is not built yet",
}


@pytest.fixture(scope="module")
def cited() -> dict[str, list[str]]:
    paths = (path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py"))
    return citations({path: (ROOT / path).read_text("utf-8") for path in paths if path != _NOT_A_CITATION})


def test_every_requirement_has_a_row_and_a_test_that_cites_it(cited: dict[str, list[str]]) -> None:
    found = findings({page: (ROOT / page).read_text("utf-8") for page in PAGES}, cited)
    assert not found, f"{len(found)} findings\n" + "\n".join(found)


def test_no_more_requirements_on_execution_are_without_a_test(cited: dict[str, list[str]]) -> None:
    left = uncited(cited)
    found = [
        f"{name} is cited by no test; use its id in the docstring of one that proves it"
        for name in left
        if name not in LATER
    ]
    found += [f"{name} is cited; use LATER without it" for name in LATER if name not in left]
    assert not found, "\n".join(found)


def test_an_uncited_row_is_counted() -> None:
    assert "E8" in uncited(["A1"])
    assert "E8" not in uncited(["A1", "E8"])


@pytest.mark.parametrize("page", PAGES)
def test_the_rows_name_the_tests_that_there_are(
    page: str, cited: dict[str, list[str]], compare_golden: Callable[[Path, str], None]
) -> None:
    compare_golden(ROOT / page, with_proofs((ROOT / page).read_text("utf-8"), cited))


TESTS = '''"""Module: H1.1."""
def test_first():
    """H1.2 and H1.3."""

# H1.4
@mark
def test_d5_second():
    x = 1  # H1.2
'''
PAGE = "| id | what | proof |\n| --- | --- | --- |\n"


def test_a_citation_belongs_to_the_test_around_or_below_it() -> None:
    assert citations({"tests/test_a.py": TESTS}) == {
        "H1.1": ["tests/test_a.py"],
        "H1.2": ["tests/test_a.py::test_first", "tests/test_a.py::test_d5_second"],
        "H1.3": ["tests/test_a.py::test_first"],
        "H1.4": ["tests/test_a.py::test_d5_second"],
        "D5": ["tests/test_a.py::test_d5_second"],
    }


def test_a_row_names_tests_first_and_files_only_where_none_of_their_tests_is_named() -> None:
    places = ["tests/test_a.py", "tests/test_a.py::test_x", "tests/help.py", "tests/test_b.py"]
    assert with_proofs(f"{PAGE}| H1.1 | met | old |\n| other | row | stays |\n", {"H1.1": places}) == (
        f"{PAGE}| H1.1 | met | `tests/test_a.py::test_x`, `tests/test_b.py` |\n| other | row | stays |\n"
    )


def test_each_kind_of_disagreement_is_found() -> None:
    pages = {"docs/r.md": f"{PAGE}| H1.1 | met | |\n| H1.2 | silent | |\n| H1.1 | again | |\n"}
    assert findings(pages, {"H1.1": ["tests/test_a.py"], "D9": ["tests/test_b.py"]}) == [
        "docs/r.md:4: no test cites H1.2; use the id in the docstring of the test that proves it",
        "docs/r.md:5: H1.1 stands at docs/r.md:3 too; use one row",
        "tests/test_b.py:1: D9 is cited and has no row; use docs/requirements.md or docs/differences.md",
    ]
