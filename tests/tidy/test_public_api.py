"""What users can import is written down: removing or renaming it is a decision, not an accident (H1.4, H1.6)."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.tidy.source import ROOT

SNAPSHOT = Path(__file__).with_name("public_api.txt")


def faces() -> list[str]:
    """The package and every room that has a public face."""
    rooms = sorted(path.parent.name for path in (ROOT / "queuefront").glob("*/__init__.py"))
    return ["queuefront", *(f"queuefront.{room}" for room in rooms)]


def members(module: ModuleType) -> Iterator[str]:
    """Yield the public names of a module, and below each class its own public attributes."""
    for name in sorted(getattr(module, "__all__", [])):
        value = getattr(module, name)
        yield name
        if inspect.isclass(value):
            attributes = {key for key in vars(value) if not key.startswith("_")}
            fields = getattr(value, "__dataclass_fields__", {}) or getattr(value, "__struct_fields__", ())
            yield from (f"{name}.{key}" for key in sorted(attributes | {key for key in fields if not key.startswith("_")}))


def test_the_public_api_is_the_one_written_down(compare_golden: Callable[[Path, str], None]) -> None:
    lines = [f"{face}.{member}" for face in faces() for member in members(importlib.import_module(face))]
    compare_golden(SNAPSHOT, "\n".join(lines) + "\n")


def test_a_renamed_method_changes_the_listing() -> None:
    def module_with(**methods: object) -> ModuleType:
        module = ModuleType("room")
        module.__all__ = ["Thing"]  # type: ignore[attr-defined]
        module.Thing = type("Thing", (), {"_hidden": 1, **methods})  # type: ignore[attr-defined]
        return module

    assert list(members(module_with(run=len))) == ["Thing", "Thing.run"]
    assert list(members(module_with(go=len))) == ["Thing", "Thing.go"]


def test_a_snapshot_that_differs_says_how_to_change_it(
    compare_golden: Callable[[Path, str], None], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if request.config.getoption("--update-golden"):
        pytest.skip("golden files are being rewritten, so none can differ")
    golden = tmp_path / "api.txt"
    golden.write_text("old\n")
    with pytest.raises(AssertionError, match=r"^api\.txt is out of date; .*: pytest --update-golden"):
        compare_golden(golden, "new\n")
