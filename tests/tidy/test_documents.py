"""What README and docs show is true: their code runs, their links lead somewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.tidy.pages import blocks, pages, program
from tests.tidy.source import ROOT

RUNNABLE = [path for path in pages() if program(path.read_text(encoding="utf-8"))]


def run_page(path: Path, text: str, folder: Path) -> None:
    """Run the page's blocks in order, in `folder`, as one module with a file, so that Numba can cache what they compile."""
    name = f"page_{path.stem.lower().replace('-', '_')}"
    file = folder / f"{name}.py"
    file.write_text(program(text), encoding="utf-8")
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = str(file)
    try:
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), vars(module))
    finally:
        del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("path", RUNNABLE, ids=lambda path: path.name)
def test_the_code_of_a_page_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(path, path.read_text(encoding="utf-8"), tmp_path)


def test_a_page_whose_code_fails_is_found_at_its_line(tmp_path: Path) -> None:
    text = "# Page\n\n```python run\nx = 1\n```\n\nText.\n\n```python run\ny = x / 0\n```\n"
    with pytest.raises(ZeroDivisionError) as caught:
        run_page(Path("page.md"), text, tmp_path)
    assert caught.traceback[-1].lineno + 1 == 10


def unmarked(path: str, text: str) -> list[str]:
    """Find Python blocks that are neither run nor said to be a sketch."""
    return [
        f"{path}:{block.first_line - 1}: a Python block that no test runs; use ```python run, or ```python sketch"
        for block in blocks(text)
        if block.info.split()[:1] == ["python"] and block.info not in ("python run", "python sketch")
    ]


def test_every_python_block_runs_or_says_that_it_is_a_sketch() -> None:
    findings = [line for path in pages() for line in unmarked(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))]
    assert not findings, "\n".join(findings)


def test_an_unmarked_block_is_found() -> None:
    text = "A\n\n```python\nx = 1\n```\n\n```python sketch\n…\n```\n\n```sh\nmake\n```\n"
    assert unmarked("docs/a.md", text) == [
        "docs/a.md:3: a Python block that no test runs; use ```python run, or ```python sketch"
    ]


def dead_links(path: str, text: str, root: Path) -> list[str]:
    """Find links to files of the repository that are not there."""
    return [
        f"{path}:{i}: a link to {target}, which does not exist; use a path from this page's folder"
        for i, line in enumerate(text.splitlines(), 1)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line)
        if "://" not in target and not ((root / path).parent / target).exists()
    ]


def test_every_link_leads_to_a_file() -> None:
    paths = [*pages(), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "changes" / "README.md"]
    findings = [
        line for path in paths for line in dead_links(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"), ROOT)
    ]
    assert not findings, "\n".join(findings)


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "here.md").touch()
    text = "[a](here.md#part) [b](https://example.org/x)\n[c](gone.md)\n"
    assert dead_links("docs/a.md", text, tmp_path) == [
        "docs/a.md:2: a link to gone.md, which does not exist; use a path from this page's folder"
    ]
