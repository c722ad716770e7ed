"""Documentation as the tests see it: code blocks with their line numbers, table rows, headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.tidy.source import ROOT

_FENCE = re.compile(r"^```(?P<info>.*)$")


@dataclass(frozen=True)
class Block:
    """One fenced block: the words after the fence, the line its code begins at (from 1), the code."""

    info: str
    first_line: int
    code: str

    @property
    def is_run(self) -> bool:
        return self.info.split()[:2] == ["python", "run"]


def pages() -> list[Path]:
    """README and every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    info, start, code = None, 0, []
    for i, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if fence and info is None:
            info, start, code = fence["info"].strip(), i + 1, []
        elif fence and info is not None:
            yield Block(info, start, "\n".join(code) + "\n")
            info = None
        elif info is not None:
            code.append(line)


def program(text: str) -> str:
    """Join a page's runnable blocks into one module whose line numbers are those of the page."""
    lines: list[str] = []
    for block in blocks(text):
        if block.is_run:
            lines += [""] * (block.first_line - 1 - len(lines)) + block.code.splitlines()
    return "\n".join(lines) + "\n" if lines else ""


def table_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of every table row of a page that is neither heading nor rule."""
    lines = text.splitlines()
    for i, line in enumerate(lines, 1):
        is_heading = i < len(lines) and re.match(r"^\|[\s:|-]+\|$", lines[i])
        if line.startswith("|") and not is_heading and not re.match(r"^\|[\s:|-]+\|$", line):
            yield i, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
