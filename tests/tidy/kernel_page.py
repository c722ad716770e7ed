"""The parts of `docs/kernel.md` that are made from the transition table, and of `docs/tables.md` from the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from queuefront.kernel.enums import ENTRY_STAGES, EXIT_STAGES, FREE_STAGES, Stage
from queuefront.kernel.table import ROWS, Guard
from queuefront.store import TABLES

_GROUPS = {
    frozenset(Stage): "any",
    ENTRY_STAGES: "entry stages",
    EXIT_STAGES: "exit stages",
    FREE_STAGES: "IDLE, CLOSED",
    ENTRY_STAGES | EXIT_STAGES: "entry and exit stages",
}


def stages(names: frozenset[Stage]) -> str:
    """Write a set of stages in the words of the page."""
    if names in _GROUPS:
        return _GROUPS[names]
    missing = frozenset(Stage) - names
    if len(missing) < len(names) and len(missing) <= 3:
        return "any but " + ", ".join(stage.name for stage in sorted(missing))
    return ", ".join(stage.name for stage in sorted(names))


def transitions() -> str:
    """Write the table as Markdown."""
    lines = ["| # | from | input | guard | to | answer | what happens |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in ROWS:
        guard = "" if row.guard is Guard.ALWAYS else row.guard.value
        to = "same" if row.to is None else row.to.name
        lines.append(
            f"| {row.number} | {stages(row.stages)} | {row.on.name} | {guard} | {to} | {row.diagnostic.name} | {row.note} |"
        )
    return "\n".join(lines)


def diagram() -> str:
    """Write the changes of stage as a Mermaid diagram: one arrow a pair, with the inputs that take it."""
    arrows: dict[tuple[Stage, Stage], dict[str, None]] = {}
    for row in ROWS:
        for stage in sorted(row.stages) if row.to is not None else ():
            if row.to is not stage:
                arrows.setdefault((stage, row.to), {})[row.on.name] = None
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> IDLE"]
    lines += [f"    {a.name} --> {b.name}: {', '.join(names)}" for (a, b), names in sorted(arrows.items())]
    return "\n".join([*lines, "```"])


def tables() -> str:
    """Write what each table and each of its columns means."""
    lines: list[str] = []
    for table in TABLES:
        lines += ["", f"### {table.name}", "", f"A row is {table.meaning}. Key: `{'`, `'.join(table.key)}`.", ""]
        lines += ["| column | holds | meaning |", "| --- | --- | --- |"]
        lines += [f"| {column.name} | {column.kind.value} | {column.meaning} |" for column in table.columns]
    return "\n".join(lines[1:])


PARTS = {"transitions": transitions, "diagram": diagram}
TABLE_PARTS = {"tables": tables}


def with_parts(text: str, parts: Mapping[str, Callable[[], str]] = PARTS, page: str = "docs/kernel.md") -> str:
    """Return the page with its generated parts as they should be."""
    for name, make in parts.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, _, rest = text.partition(begin)
        _, mark, after = rest.partition(end)
        if not mark:
            raise RuntimeError(f"{page} lacks the lines {begin} and {end}")
        text = f"{before}{begin}\n\n{make()}\n\n{end}{after}"
    return text
