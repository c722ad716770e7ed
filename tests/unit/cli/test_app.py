"""The commands together: help, version, what the documentation shows of them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from queuefront.cli.app import app
from tests.unit.cli.runs import qf

COMMANDS = (
    "convert",
    "info",
    "check",
    "passport",
    "fuse",
    "split",
    "concat",
    "snapshot",
    "latency",
    "synth",
    "backtest",
    "sweep",
)
PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


def test_the_version_is_the_packages() -> None:
    assert qf("--version").out == f"qf {version('queuefront')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_of_itself(command: str) -> None:
    ran = qf(command, "--help")
    assert ran.code == 0
    assert re.search(rf"Example: qf {command} \S", ran.out)


def test_no_arguments_show_the_commands() -> None:
    ran = qf()
    assert all(f"\n  {command}" in ran.out + ran.err for command in COMMANDS)


def test_an_unknown_option_is_a_usage_error() -> None:
    assert qf("info", "--none").code == 2


def option_table(command: str) -> str:
    """Write a command's arguments and options as a Markdown table, from the command itself."""
    lines = ["| argument, option | meaning | default |", "| --- | --- | --- |"]
    for parameter in typer.main.get_command(app).commands[command].params:  # type: ignore[attr-defined]
        is_option = parameter.param_type_name == "option"
        names = [*parameter.opts, *parameter.secondary_opts] if is_option else [parameter.metavar or parameter.name.upper()]
        value = f" {parameter.metavar}" if is_option and parameter.metavar else ""
        default = "required" if parameter.required else parameter.default
        is_told = not (default is None or default is False or default == [] or parameter.secondary_opts)
        shown = f"`{getattr(default, 'value', default)}`" if is_told and default not in ("required", "") else default
        cells = (", ".join(f"`{name}{value}`" for name in names), parameter.help, shown if is_told else "")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def test_the_documentation_lists_the_options_that_there_are(compare_golden: Callable[[Path, str], None]) -> None:
    def section(match: re.Match[str]) -> str:
        return f"<!-- options: {match[1]} -->\n\n{option_table(match[1])}\n\n<!-- end -->"

    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"<!-- options: (\w+) -->", page) == list(COMMANDS)
    compare_golden(PAGE, re.sub(r"<!-- options: (\w+) -->\n.*?<!-- end -->", section, page, flags=re.DOTALL))


def test_help_loads_no_compiled_code() -> None:
    code = (
        "import sys\nfrom queuefront.cli.app import app\n"
        "heavy = [m for m in ('numba', 'polars', 'pyarrow', 'plotly') if m in sys.modules]\nprint(heavy)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "[]\n"
