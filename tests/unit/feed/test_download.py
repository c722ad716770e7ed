"""Files are fetched whole, resumed, checked, or not there."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from queuefront.core import ConfigError, DataError, DataFormatError
from queuefront.feed import Fetched, fetch
from queuefront.feed.download import fetch_text
from tests.unit.feed.file_server import FileServer, serving

DATA = bytes(range(256)) * 4096
DIGEST = sha256(DATA).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as server:
        server.files["/a.bin"] = DATA
        yield server


def get(server: FileServer, folder: Path, **options) -> Fetched:
    return fetch(f"{server.base}/a.bin", folder / "a.bin", wait_s=0.0, **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_and_then_there(server: FileServer, tmp_path: Path):
    seen: list[tuple[int, int]] = []
    made = get(server, tmp_path, sha256_wanted=DIGEST.upper(), progress=lambda done, total: seen.append((done, total)))
    assert made == (tmp_path / "a.bin", len(DATA), DIGEST, 0, False)
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert names(tmp_path) == ["a.bin"]
    assert seen[-1] == (len(DATA), len(DATA))
    assert get(server, tmp_path).was_there
    assert len(server.requests) == 1


def test_a_transfer_that_breaks_off_is_resumed(server: FileServer, tmp_path: Path):
    server.breaks_after = [100_000, 300_000]
    made = get(server, tmp_path, sha256_wanted=DIGEST)
    assert made.resumed_at == 400_000
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert [asked for _, asked in server.requests] == ["", "bytes=100000-", "bytes=400000-"]


def test_a_later_run_goes_on_where_the_last_one_broke_off(server: FileServer, tmp_path: Path):
    server.breaks_after = [100_000]
    with pytest.raises(DataError) as caught:
        get(server, tmp_path, attempts=1)
    assert str(caught.value).startswith(f"{server.base}/a.bin: 1 attempts broke off (")
    assert str(caught.value).endswith("; run it again, it goes on at byte 100,000")
    assert names(tmp_path) == ["a.bin.part", "a.bin.part.tag"]
    assert get(server, tmp_path).resumed_at == 100_000
    assert names(tmp_path) == ["a.bin"]


def test_a_server_without_ranges_begins_again(server: FileServer, tmp_path: Path):
    server.has_ranges, server.breaks_after = False, [100_000]
    made = get(server, tmp_path, sha256_wanted=DIGEST)
    assert made.resumed_at == 0
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_file_that_changed_in_between_is_not_joined_to_its_old_beginning(server: FileServer, tmp_path: Path):
    server.breaks_after = [100_000]
    with pytest.raises(DataError):
        get(server, tmp_path, attempts=1)
    server.files["/a.bin"] = DATA[::-1]
    assert get(server, tmp_path).resumed_at == 0
    assert (tmp_path / "a.bin").read_bytes() == DATA[::-1]


def test_a_part_longer_than_the_file_begins_again(server: FileServer, tmp_path: Path):
    tag = sha256(DATA).hexdigest()[:8]
    (tmp_path / "a.bin.part").write_bytes(DATA + b"x")
    (tmp_path / "a.bin.part.tag").write_text(f'"{tag}"')
    server.refusals = [416]
    assert get(server, tmp_path, sha256_wanted=DIGEST).resumed_at == 0
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_another_checksum_is_refused_and_nothing_stays(server: FileServer, tmp_path: Path):
    with pytest.raises(DataFormatError) as caught:
        get(server, tmp_path, sha256_wanted="0" * 64)
    assert str(caught.value) == (f"{server.base}/a.bin: SHA-256 is {DIGEST}, and {'0' * 64} was published; fetch it again")
    assert names(tmp_path) == []
    (tmp_path / "a.bin").write_bytes(b"mine")
    with pytest.raises(DataFormatError, match="the file is there, and its SHA-256 is not that of"):
        get(server, tmp_path, sha256_wanted=DIGEST)
    assert (tmp_path / "a.bin").read_bytes() == b"mine"


def test_a_busy_server_is_asked_again(server: FileServer, tmp_path: Path):
    server.refusals = [503, 500]
    assert get(server, tmp_path).sha256 == DIGEST
    server.refusals = [503] * 2
    with pytest.raises(DataError, match=r"2 attempts broke off \(HTTP 503\)"):
        fetch(f"{server.base}/a.bin", tmp_path / "b.bin", attempts=2, wait_s=0.0)


def test_what_there_is_not_is_said_at_once(server: FileServer, tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        fetch(f"{server.base}/b.bin", tmp_path / "b.bin")
    assert str(caught.value) == (f"{server.base}/b.bin: the server has no such file (HTTP 404); check symbol, kind and day")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("url", "name", "message"),
    [
        ("file:///etc/passwd", "a", "'file:///etc/passwd' is no address; give one that begins with https://"),
        ("http://127.0.0.1:1/a", "none/a", "{folder}/none/a: the folder {folder}/none does not exist; make it first"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, url: str, name: str, message: str):
    with pytest.raises(ConfigError) as caught:
        fetch(url, tmp_path / name)
    assert str(caught.value) == message.format(folder=tmp_path)


def test_a_text_is_short(server: FileServer):
    server.files["/t"] = b"short"
    assert fetch_text(f"{server.base}/t") == "short"
    with pytest.raises(DataFormatError, match="the text is longer than 65,536 bytes"):
        fetch_text(f"{server.base}/a.bin")
    with pytest.raises(DataError, match="the transfer broke off"):
        fetch_text("http://127.0.0.1:1/t")
