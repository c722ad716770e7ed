"""Fetch files over HTTP: resumed where a transfer broke off, checked, and never half there under their own name.

The bytes go to `<name>.part`, beside `<name>.part.tag`, which holds what the server calls this version of the file. A later
attempt asks for the rest of that version only; where the server cannot give it, it begins again.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from queuefront.core.errors import ConfigError, DataError, DataFormatError

__all__ = ["Fetched", "fetch", "fetch_text"]

_BLOCK_BYTES: Final = 2**18
_TEXT_BYTES_MAX: Final = 2**16
_NOT_FOUND: Final = (403, 404, 410)
_RANGE_REFUSED: Final = 416


class Fetched(NamedTuple):
    """A file that is there now."""

    path: Path
    file_bytes: int
    sha256: str
    resumed_at: int  # byte at which the last attempt went on; 0: it began at the beginning
    was_there: bool


class _BrokenOff(Exception):  # noqa: N818 - an outcome, after which the next attempt goes on
    """A transfer ended early."""


def fetch(
    url: str,
    path: str | os.PathLike[str],
    *,
    sha256_wanted: str | None = None,
    check: Callable[[Path], None] | None = None,
    attempts: int = 5,
    wait_s: float = 1.0,
    timeout_s: float = 30.0,
    progress: Callable[[int, int], None] | None = None,
) -> Fetched:
    """Fetch one file, unless it is there.

    Parameters
    ----------
    url : http or https.
    path : where the file goes; its folder must exist.
    sha256_wanted : what the contents must hash to, in hexadecimal; also of a file that is there.
    check : looks at the fetched file before it gets its name, and raises a DataError at what is wrong with it.
    attempts, wait_s, timeout_s : how often it is tried, the pause between, and how long the server may be mute.
    progress : called with (bytes done, bytes in all; 0 if the server does not say).

    Raises
    ------
    ConfigError
        For an address that is none, or a file that the server does not have.
    DataError
        If the transfer breaks off again and again, or the contents are not those that were promised.
    """
    path = Path(path)
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"{url!r} is no address; give one that begins with https://")
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: the folder {path.parent} does not exist; make it first")
    if path.exists():
        digest = _digest(path)
        if sha256_wanted is not None and digest != sha256_wanted.lower():
            raise DataFormatError(f"{path}: the file is there, and its SHA-256 is not that of {url}; remove it, or keep it")
        return Fetched(path, path.stat().st_size, digest, 0, was_there=True)
    part, tag = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.tag")
    why: Exception | None = None
    for attempt in range(attempts):
        if attempt:
            time.sleep(wait_s)  # tidy: allow ambient: the server wants the pause, and tests give none
        try:
            resumed_at = _transfer(url, part, tag, timeout_s, progress)
            break
        except _BrokenOff as e:
            why = e
    else:
        done = part.stat().st_size if part.exists() else 0
        raise DataError(f"{url}: {attempts} attempts broke off ({why}); run it again, it goes on at byte {done:,}") from why
    digest = _digest(part)
    try:
        if sha256_wanted is not None and digest != sha256_wanted.lower():
            raise DataFormatError(f"{url}: SHA-256 is {digest}, and {sha256_wanted.lower()} was published; fetch it again")
        if check is not None:
            check(part)
    except DataError:
        part.unlink(missing_ok=True)
        tag.unlink(missing_ok=True)
        raise
    part.replace(path)
    tag.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return Fetched(path, path.stat().st_size, digest, resumed_at, was_there=False)


def fetch_text(url: str, *, timeout_s: float = 30.0) -> str:
    """Fetch a short text. Raises as `fetch`."""
    try:
        with _open(url, {}, timeout_s) as answer:
            data: bytes = answer.read(_TEXT_BYTES_MAX + 1)
    except _BrokenOff as e:
        raise DataError(f"{url}: the transfer broke off ({e}); run it again") from e
    except (OSError, http.client.HTTPException) as e:
        raise DataError(f"{url}: the transfer broke off ({e}); run it again") from e
    if len(data) > _TEXT_BYTES_MAX:
        raise DataFormatError(f"{url}: the text is longer than {_TEXT_BYTES_MAX:,} bytes; is it the right address?")
    return data.decode("utf-8", "replace")


def _transfer(url: str, part: Path, tag: Path, timeout_s: float, progress: Callable[[int, int], None] | None) -> int:
    """Fetch what is missing; return the byte at which it went on."""
    begin = part.stat().st_size if part.exists() and tag.exists() else 0
    headers = {"Range": f"bytes={begin}-", "If-Range": tag.read_text()} if begin else {}
    try:
        answer = _open(url, headers, timeout_s)
    except urllib.error.HTTPError as e:
        if e.code != _RANGE_REFUSED:
            raise
        begin, answer = 0, _open(url, {}, timeout_s)
    with answer:
        if answer.status != 206 or not _goes_on_at(answer, begin):
            if answer.status == 206:
                part.unlink(missing_ok=True)
                raise _BrokenOff("the server gave another part than was asked for")
            begin = 0
        length = answer.headers.get("Content-Length")
        total = begin + int(length) if length and length.isdigit() else 0
        _write_tag(tag, answer)
        done = begin
        with part.open("r+b" if begin else "wb") as file:
            file.seek(begin)
            file.truncate()
            try:
                while block := answer.read(_BLOCK_BYTES):
                    file.write(block)
                    done += len(block)
                    if progress is not None:
                        progress(done, total)
            except (OSError, http.client.HTTPException) as e:
                raise _BrokenOff(f"{e or type(e).__name__}") from e
            finally:
                file.flush()
                os.fsync(file.fileno())
    if total and done != total:
        raise _BrokenOff(f"{done:,} of {total:,} bytes came")
    return begin


def _open(url: str, headers: dict[str, str], timeout_s: float) -> Any:
    request = urllib.request.Request(url, headers={"User-Agent": "queuefront", **headers})  # noqa: S310 - http by `fetch`
    try:
        return urllib.request.urlopen(request, timeout=timeout_s)  # noqa: S310
    except urllib.error.HTTPError as e:
        e.close()
        if e.code in _NOT_FOUND:
            raise ConfigError(f"{url}: the server has no such file (HTTP {e.code}); check symbol, kind and day") from e
        if e.code == _RANGE_REFUSED:
            raise
        raise _BrokenOff(f"HTTP {e.code}") from e
    except (OSError, http.client.HTTPException) as e:
        raise _BrokenOff(str(e) or type(e).__name__) from e


def _goes_on_at(answer: Any, begin: int) -> bool:
    return str(answer.headers.get("Content-Range", "")).startswith(f"bytes {begin}-")


def _write_tag(tag: Path, answer: Any) -> None:
    """Remember which version of the file this is; without a name for it, a transfer is not resumed."""
    version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    if version and not version.startswith("W/") and str(answer.headers.get("Accept-Ranges", "bytes")) != "none":
        tag.write_text(version)
    else:
        tag.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot; the file itself is on the disk
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
