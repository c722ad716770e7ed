"""What the house checks work on: sources parsed once, findings, and the exceptions that stand on a line."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_ALLOW = re.compile(r"#\s*tidy:\s*allow\s+(?P<rule>[a-z-]+)\s*(?::\s*(?P<reason>\S.*))?")


@dataclass(frozen=True, order=True)
class Finding:
    """One line of a report: `path:line: what; use instead`."""

    path: str
    line: int
    what: str
    instead: str
    is_of_file: bool = False  # about the file as a whole: an exception may stand on any line of it

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}; use {self.instead}"


@dataclass(frozen=True)
class Source:
    """One Python file: its path in the repository, its text and its syntax tree."""

    path: str
    text: str
    used: set[int] = field(default_factory=set, compare=False)  # lines whose exception excused something

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def allowed(self) -> dict[int, tuple[str, str]]:
        """Line number -> (rule, reason) of the exceptions; the reason may be empty, which is a finding of its own."""
        found = ((i, _ALLOW.search(line)) for i, line in enumerate(self.lines, 1))
        return {i: (m["rule"], m["reason"] or "") for i, m in found if m}

    def finding(self, node: ast.AST | int, what: str, instead: str, *, is_of_file: bool = False) -> Finding:
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return Finding(self.path, line, what, instead, is_of_file)


Rule = Callable[[Source], Iterable[Finding]]


def check(rule: Rule, source: Source) -> Iterator[Finding]:
    """Run one rule over one file and leave out what an exception on the line excuses.

    The rule's name is its function's, with hyphens.
    """
    name = rule_name(rule)
    for finding in rule(source):
        lines = source.allowed if finding.is_of_file else {finding.line}
        excuses = {i for i in lines if source.allowed.get(i, ("", ""))[0] == name}
        if excuses:
            source.used.update(excuses)
        else:
            yield finding


def rule_name(rule: Rule) -> str:
    return rule.__name__.replace("_", "-")


def exceptions(source: Source, rules: Iterable[Rule]) -> Iterator[Finding]:
    """Find exceptions that name no rule, give no reason, or excuse nothing. Run it after all rules."""
    names = {rule_name(rule) for rule in rules}
    for line, (rule, reason) in source.allowed.items():
        if rule not in names:
            yield source.finding(line, f"exception for the unknown rule {rule!r}", f"one of {', '.join(sorted(names))}")
        elif not reason:
            yield source.finding(line, f"exception for {rule!r} without a reason", f"`# tidy: allow {rule}: <reason>`")
        elif line not in source.used:
            yield source.finding(line, f"exception for {rule!r} that excuses nothing", "no comment here")


@lru_cache(maxsize=1)
def package_sources() -> tuple[Source, ...]:
    """Every module of the package."""
    return tuple(load(path) for path in sorted((ROOT / "queuefront").rglob("*.py")))


def load(path: Path) -> Source:
    return Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def planted(text: str, path: str = "queuefront/room/module.py") -> Source:
    """Return a file that does not exist, to prove that a rule sees what it should see."""
    return Source(path, text)


def report(findings: Iterable[Finding]) -> str:
    """Write the findings one a line, for the message of a failed test."""
    return "\n".join(str(finding) for finding in sorted(findings))


# --- shared by the rules ----------------------------------------------------------------------------------------------
def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for a chain of names, and an empty text for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Return local name -> full name for every import of the file, wherever it stands."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def full_name(node: ast.AST, names: dict[str, str]) -> str:
    """Return the dotted name of `node` with its first part replaced by what was imported under it."""
    head, _, rest = dotted(node).partition(".")
    head = names.get(head, head)
    return f"{head}.{rest}" if rest else head


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node
