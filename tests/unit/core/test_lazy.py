"""Packages whose names are loaded when they are first used."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from queuefront import book, feed, sim, sweep


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    (tmp_path / "idle_room").mkdir()
    (tmp_path / "idle_room" / "__init__.py").write_text("""
from queuefront.core.lazy import lazily
plain = 1
__getattr__, __dir__ = lazily(__name__, {"shelf": ("book", "lamp")})
""")
    (tmp_path / "idle_room" / "shelf.py").write_text("book, lamp, hidden = object(), 2, 3")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("idle_room", "idle_room.shelf"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import idle_room

    return idle_room


def test_a_module_is_loaded_with_its_first_name_and_asked_once(package: ModuleType) -> None:
    assert "idle_room.shelf" not in sys.modules
    book = package.book
    assert "idle_room.shelf" in sys.modules
    assert vars(package)["book"] is book


def test_what_no_module_lends_is_not_there(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="module 'idle_room' has no attribute 'hidden'"):
        package.hidden  # noqa: B018 - asking is the test


def test_all_names_are_listed_before_they_are_loaded(package: ModuleType) -> None:
    assert {"plain", "book", "lamp"} <= set(dir(package))
    assert "idle_room.shelf" not in sys.modules


@pytest.mark.parametrize("room", [book, feed, sim, sweep])
def test_every_name_of_a_room_can_be_had(room: ModuleType) -> None:
    assert sorted(name for name in room.__all__ if not hasattr(room, name)) == []
