"""Version, changelog and the notes for it agree."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.tidy.source import ROOT

KINDS = ("breaking", "added", "fixed", "faster")


def disagreement(changelog: str, pyproject: str, version: str) -> str | None:
    """Return what is wrong with the three places that state the version."""
    heading = re.search(r"^## (\S+)", changelog, flags=re.MULTILINE)
    topmost = heading[1] if heading else "none"
    declared = tomllib.loads(pyproject)["project"]["version"]
    if topmost == declared == version:
        return None
    return f"CHANGELOG.md says {topmost}, pyproject.toml {declared}, queuefront.__version__ {version}; make them one"


def test_changelog_pyproject_and_package_state_one_version() -> None:
    import queuefront

    found = disagreement(
        (ROOT / "CHANGELOG.md").read_text("utf-8"), (ROOT / "pyproject.toml").read_text("utf-8"), queuefront.__version__
    )
    assert found is None, found


@pytest.mark.parametrize(
    ("changelog", "version"),
    [("## 0.2.0\n## 0.1.0\n", "0.1.0"), ("## 0.1.0 (2026-01-01)\n", "0.1.1"), ("no heading\n", "0.1.0")],
)
def test_a_disagreement_is_found(changelog: str, version: str) -> None:
    assert disagreement(changelog, '[project]\nversion = "0.1.0"\n', version) is not None


def test_versions_that_agree_are_not_found() -> None:
    assert disagreement("# Changelog\n\n## 0.1.0 (unreleased)\n", '[project]\nversion = "0.1.0"\n', "0.1.0") is None


def misnamed(names: list[str]) -> list[str]:
    """Find notes whose name does not say topic and kind."""
    pattern = re.compile(rf"[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(KINDS)})\.md")
    return [
        f"changes/{name}:1: not a note's name; use <topic>.<{'|'.join(KINDS)}>.md"
        for name in names
        if name != "README.md" and not pattern.fullmatch(name)
    ]


def test_every_note_says_its_topic_and_kind() -> None:
    findings = misnamed(sorted(path.name for path in (ROOT / "changes").iterdir()))
    assert not findings, "\n".join(findings)


def test_a_misnamed_note_is_found() -> None:
    assert misnamed(["tape-sort.added.md", "README.md", "Tape.added.md", "tape.md", "tape.removed.md"]) == [
        "changes/Tape.added.md:1: not a note's name; use <topic>.<breaking|added|fixed|faster>.md",
        "changes/tape.md:1: not a note's name; use <topic>.<breaking|added|fixed|faster>.md",
        "changes/tape.removed.md:1: not a note's name; use <topic>.<breaking|added|fixed|faster>.md",
    ]
