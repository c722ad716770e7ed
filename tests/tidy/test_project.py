"""The project's configuration agrees with what stands in the folders."""

from __future__ import annotations

import tomllib

from tests.tidy.source import ROOT


def compiled_modules() -> set[str]:
    paths = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / "queuefront").rglob("*compiled.py"))
    return {".".join(path.parts) for path in paths}


def undeclared(pyproject: str, modules: set[str]) -> list[str]:
    """Find compiled modules that mypy would check, and declared ones that are not there."""
    overrides = tomllib.loads(pyproject)["tool"]["mypy"]["overrides"]
    listed = {m for o in overrides if o.get("check_untyped_defs") is False for m in o["module"] if m.endswith("compiled")}
    rooms = {m.removesuffix(".*") for o in overrides for m in o["module"] if m.endswith(".*")}
    covered = {m for m in modules if m.rpartition(".")[0] in rooms}
    unlisted = modules - listed - covered
    missing = [f"pyproject.toml:1: {m} is not declared compiled; use the list below tool.mypy" for m in unlisted]
    gone = [f"pyproject.toml:1: {m} does not exist; use the names of modules that do" for m in listed - modules]
    return sorted(missing + gone)


def test_every_compiled_module_is_declared_to_mypy() -> None:
    findings = undeclared((ROOT / "pyproject.toml").read_text("utf-8"), compiled_modules())
    assert not findings, "\n".join(findings)


def test_an_undeclared_and_a_vanished_module_are_found() -> None:
    text = '[[tool.mypy.overrides]]\nmodule = ["a.gone_compiled", "a.bot.*"]\ncheck_untyped_defs = false\n'
    assert undeclared(text, {"a.new_compiled", "a.bot.x_compiled"}) == [
        "pyproject.toml:1: a.gone_compiled does not exist; use the names of modules that do",
        "pyproject.toml:1: a.new_compiled is not declared compiled; use the list below tool.mypy",
    ]
