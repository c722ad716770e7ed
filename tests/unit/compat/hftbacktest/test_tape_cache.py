"""Tapes of event files: made once, found again by contents, never trusted when damaged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from queuefront.compat.hftbacktest import BacktestAsset, tape_cache
from queuefront.compat.hftbacktest.tape_cache import cache_folder, cached_tape
from queuefront.feed import Tape, write_npz
from tests.small_market import LINEAR, market

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUEUEFRONT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tapes"


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    write_npz(tmp_path / "a.npz", market().to_events())
    return tmp_path / "a.npz"


def asset(*paths: Path) -> BacktestAsset:
    return BacktestAsset().data([str(path) for path in paths]).tick_size(0.5).lot_size(0.25)


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.tape"))


def never(*_: object, **__: object) -> Tape:
    raise AssertionError("made anew")


def test_a_file_becomes_a_tape_once(folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = asset(npz).build().tape
    (entry,) = entries(folder)
    monkeypatch.setattr(Tape, "build", never)
    second = asset(npz).build().tape
    monkeypatch.undo()
    assert isinstance(first, Tape)
    assert isinstance(second, Tape)
    assert first.to_events().tobytes() == second.to_events().tobytes() == market().to_events().tobytes()
    assert entries(folder) == [entry]
    assert second.meta["source"] == str(npz)


def test_the_same_contents_under_another_name_are_the_same_tape(folder: Path, npz: Path) -> None:
    asset(npz).build()
    copy = npz.with_name("b.npz")
    copy.write_bytes(npz.read_bytes())
    assert asset(copy).build().tape.meta["source"] == str(copy)
    assert len(entries(folder)) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.tick_size(0.25),
        lambda a: a.lot_size(0.125),
        lambda a: a.inverse_asset(1.0),
        lambda a: a.linear_asset(2.0),
        lambda a: a.latency_offset(1_000),
    ],
)
def test_whatever_changes_the_tape_makes_another_one(folder: Path, npz: Path, change) -> None:
    asset(npz).build()
    change(asset(npz)).build()
    assert len(entries(folder)) == 2


def test_other_contents_and_another_order_of_files_make_another_tape(folder: Path, tmp_path: Path, npz: Path) -> None:
    later = market().to_events()
    later["exch_ts"] += 10**12
    later["local_ts"] += 10**12
    write_npz(tmp_path / "later.npz", later)
    asset(npz).build()
    asset(tmp_path / "later.npz").build()
    asset(npz, tmp_path / "later.npz").build()
    assert len(entries(folder)) == 3


def test_another_version_of_tapes_makes_them_anew(folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asset(npz).build()
    monkeypatch.setattr(tape_cache, "TAPE_VERSION", -1)
    asset(npz).build()
    assert len(entries(folder)) == 2


def test_arrays_and_snapshots_stay_in_memory(folder: Path, npz: Path) -> None:
    asset(npz).data(market().to_events()[:0]).build()
    snapshot = market().to_events()[:2]
    asset(npz).initial_snapshot(snapshot).build()
    assert not folder.exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_entry_is_made_anew_with_a_warning(folder: Path, npz: Path, damage: str) -> None:
    asset(npz).build()
    (entry,) = entries(folder)
    whole = entry.read_bytes()
    position = whole.index(market().lots.tobytes())
    flipped = whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]
    entry.unlink()  # the old bytes stay mapped where they were
    entry.write_bytes({"cut": whole[: len(whole) // 2], "flipped": flipped, "emptied": b""}[damage])
    with pytest.warns(UserWarning, match="damaged") as caught:
        tape = asset(npz).build().tape
    assert isinstance(tape, Tape)
    assert str(caught[0].message).startswith(f"{entry}: damaged, ")
    assert str(caught[0].message).endswith("; it is made anew")
    assert Path(caught[0].filename).name == Path(__file__).name
    assert tape.to_events().tobytes() == market().to_events().tobytes()
    assert entry.read_bytes() == whole


def test_rounding_is_told_again_when_the_tape_comes_from_the_cache(tmp_path: Path) -> None:
    rows = market().to_events()
    rows["px"][0] = 99.9
    write_npz(tmp_path / "off.npz", rows)
    for _ in range(2):
        with pytest.warns(UserWarning, match="1 prices and 0 quantities are off the grid"):
            asset(tmp_path / "off.npz").build()


def test_the_entry_not_used_for_longest_goes_first(folder: Path, tmp_path: Path) -> None:
    paths = []
    for k in range(3):
        events = market().to_events()
        events["qty"] += k
        paths.append(tmp_path / f"{k}.npz")
        write_npz(paths[-1], events)

    def use(k: int, bytes_max: int = 2**40) -> None:
        def build() -> Tape:
            events = market().to_events()
            events["qty"] += k
            return Tape.build(events, LINEAR, source="x")

        cached_tape([paths[k]], LINEAR, {}, build, bytes_max=bytes_max)

    use(0)
    (oldest,) = entries(folder)
    use(1)
    (unused,) = set(entries(folder)) - {oldest}
    use(0)  # so that it is not the oldest any more
    use(2, bytes_max=oldest.stat().st_size * 5 // 2)
    assert oldest in entries(folder)
    assert unused not in entries(folder)
    assert len(entries(folder)) == 2
    use(1, bytes_max=1)
    assert entries(folder) == [unused]


def test_a_folder_that_cannot_be_written_leaves_the_tape_in_memory(
    tmp_path: Path, npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("QUEUEFRONT_CACHE_DIR", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="stays in memory") as caught:
        tape = asset(npz).build().tape
    assert str(caught[0].message) == (
        f"{tmp_path}/file/tapes: not a directory; the tape stays in memory: make room there, or set QUEUEFRONT_CACHE_DIR "
        "to a folder that can be written"
    )
    assert len(tape) == 4


def test_builders_of_one_entry_do_not_meet(folder: Path, npz: Path) -> None:
    code = (
        "import sys\nfrom queuefront.compat.hftbacktest import BacktestAsset\n"
        "a = BacktestAsset().data(sys.argv[1]).tick_size(0.5).lot_size(0.25).build()\nprint(len(a.tape))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", code, str(npz)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [process.communicate(timeout=120)[0] for process in processes] == ["4\n"] * 3
    (entry,) = entries(folder)
    Tape.open(entry).verify()
    assert not list(folder.glob(".*"))


def test_the_folder_is_the_users_unless_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("QUEUEFRONT_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "queuefront"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "queuefront"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == Path.home() / "Library" / "Caches" / "queuefront"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert cache_folder() == tmp_path / "queuefront" / "cache"
