"""Raw collector files: one message a line, behind the nanosecond at which it was received.

A line is the receipt time as 19 digits (ns UTC), one space, and the untouched message. A file is plain text or gzip, in
one or several members (a collector that restarts appends a member); which of the two is told by its first bytes.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final

from isal import isal_zlib

from queuefront.core.errors import DataFormatError, TruncatedFileError
from queuefront.feed.sources.refusal import LineRefused

__all__ = ["EXPANSION_MAX", "LINE_BYTES_MAX", "RawLines", "check_expansion", "split_line"]

LINE_BYTES_MAX: Final = 64 * 2**20
"""Longest line that is read; a file without newlines must not fill the memory."""

EXPANSION_MAX: Final = 250
"""Most bytes that one packed byte may become; text of markets packs by 5 to 30, and repeated text by 100 at most."""
FREE_BYTES: Final = 256 * 2**20
"""What a small file may unpack to in any case."""

_TS_DIGITS: Final = 19
_BLOCK_BYTES: Final = 2**20
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WBITS: Final = 31
_IsalError: Final[type[Exception]] = isal_zlib.IsalError  # type: ignore[assignment] # its stub gives an instance
_GZIP_HEAD: Final = 4  # bytes: two of magic, the method, the flags
_ODD_FLAGS: Final = 0b1110_0010  # reserved ones, and a checksum of the header: zlib looks at them, ISA-L does not
_FORMATS: Final = {b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2"}


def split_line(line: bytes) -> tuple[int, bytes]:
    """Return the receipt time and the message of a line; refuse one that does not begin with a time."""
    stamp, space, message = line[:_TS_DIGITS], line[_TS_DIGITS : _TS_DIGITS + 1], line[_TS_DIGITS + 1 :]
    if len(stamp) < _TS_DIGITS or not stamp.isdigit() or space != b" ":
        raise LineRefused("the line does not begin with a receipt time of 19 digits and a space", "local_ts", stamp)
    local_ts = int(stamp)
    if not 0 < local_ts < 2**63:
        raise LineRefused(f"the receipt time {local_ts} does not fit into int64 nanoseconds", "local_ts", local_ts)
    return local_ts, message


def check_expansion(path: object, packed_bytes: int, unpacked_bytes: int) -> None:
    """Refuse what unpacks to very much more than was packed, before it fills memory or disk.

    Raises
    ------
    DataFormatError
        If that is so.
    """
    if unpacked_bytes > max(FREE_BYTES, EXPANSION_MAX * packed_bytes):
        raise DataFormatError(
            f"{path}: {packed_bytes:,} bytes unpack to {unpacked_bytes:,} and more; no market data pack that well, so this "
            "is refused; if it is meant, unpack it first"
        )


class RawLines:
    """The lines of a raw file, in blocks of whole lines; reading and unpacking run in a thread of their own.

    Parameters
    ----------
    path : the file.
    salvage : where a gzip stream is cut off or damaged, give the lines before that point and note it in `damage`,
        instead of raising.

    Iterating yields `bytes`, each ending in a newline (added to an unfinished last line), and raises TruncatedFileError or
    DataFormatError.
    """

    def __init__(self, path: str | os.PathLike[str], *, salvage: bool = False) -> None:
        self.path = Path(path)
        self.bytes_total = self.path.stat().st_size
        self.bytes_done = 0
        self.damage: str | None = None
        self.is_unfinished = False  # the last line has no newline
        self._salvage = salvage
        self._hash = sha256()

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes read so far, in hexadecimal."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file, ThreadPoolExecutor(1, thread_name_prefix="raw-lines") as reader:
            chunks = self._chunks(file)
            carried: list[bytes] = []
            carried_bytes = unpacked_bytes = 0
            coming = reader.submit(next, chunks, b"")
            while chunk := coming.result():
                coming = reader.submit(next, chunks, b"")
                unpacked_bytes += len(chunk)
                check_expansion(self.path, self.bytes_done, unpacked_bytes)
                cut = chunk.rfind(b"\n") + 1
                if cut:
                    yield b"".join((*carried, chunk[:cut]))
                    carried, carried_bytes = [], 0
                carried.append(chunk[cut:])
                carried_bytes += len(chunk) - cut
                if carried_bytes > LINE_BYTES_MAX:
                    raise DataFormatError(
                        f"{self.path}: a line is longer than {LINE_BYTES_MAX:,} bytes; this is not a raw collector file"
                    )
            if last := b"".join(carried):
                self.is_unfinished = True
                yield last + b"\n"

    def _chunks(self, file: IO[bytes]) -> Iterator[bytes]:
        head = self._read(file, 6)
        for magic, name in _FORMATS.items():
            if head.startswith(magic):
                raise DataFormatError(f"{self.path}: the file is {name} compressed; unpack it, or pack it with gzip")
        if head.startswith(_GZIP_MAGIC):
            yield from self._unpacked(file, head)
            return
        while head:
            yield head
            head = self._read(file, _BLOCK_BYTES)

    def _unpacked(self, file: IO[bytes], packed: bytes) -> Iterator[bytes]:
        member: Any = _member(packed)
        start, given = self.bytes_done - len(packed), 0  # where the member begins, and how much it has given
        before = None
        try:
            while True:
                if member.eof:
                    packed = member.unused_data.lstrip(b"\0")  # padding between and after members is harmless
                    while len(packed) < _GZIP_HEAD and (more := self._read(file, _BLOCK_BYTES // 4)):
                        packed = (packed + more).lstrip(b"\0")
                    if not packed:
                        return
                    member = _member(packed)
                    start, given = self.bytes_done - len(packed), 0
                elif not packed:
                    packed = self._read(file, _BLOCK_BYTES // 4)
                at_end = not packed
                is_exact = not isinstance(member, isal_zlib.Decompress)
                before = member.copy() if self._salvage and is_exact else None
                try:
                    text = member.decompress(packed, _BLOCK_BYTES)  # without input: what a full block left inside
                except _IsalError:
                    member, packed = self._begin_anew(file, start, given)
                    continue
                packed = member.unconsumed_tail
                given += len(text)
                if text:
                    yield text
                elif at_end and not member.eof:
                    raise TruncatedFileError(
                        f"{self.path}: the gzip stream is cut off at byte {self.bytes_done:,}; fetch the file again, "
                        "or convert with on_bad='skip' to keep what is there"
                    )
        except (zlib.error, TruncatedFileError) as e:
            error: Exception = e
            if isinstance(e, zlib.error):
                error = DataFormatError(
                    f"{self.path}: the gzip stream is damaged before byte {self.bytes_done:,} ({e}); fetch the file again, "
                    "or convert with on_bad='skip' to keep what is there"
                )
            if not self._salvage:
                raise error from e
            self.damage = str(error)
            if isinstance(e, zlib.error) and before is not None:
                yield b"".join(_prefix(before, packed))

    def _begin_anew(self, file: IO[bytes], start: int, given: int) -> tuple[Any, bytes]:
        """Return zlib's state behind what a member has given, and the bytes behind that which were read already."""
        member = zlib.decompressobj(_GZIP_WBITS)
        file.seek(start)
        packed = b""
        while given:
            packed = packed or file.read(min(_BLOCK_BYTES // 4, self.bytes_done - file.tell()))
            text = member.decompress(packed, min(given, _BLOCK_BYTES))
            if not text and not packed:
                raise zlib.error("the two libraries that unpack it disagree on what it holds")
            given -= len(text)
            packed = member.unconsumed_tail
        return member, packed + file.read(self.bytes_done - file.tell())

    def _read(self, file: IO[bytes], size: int) -> bytes:
        data = file.read(size)
        self._hash.update(data)
        self.bytes_done += len(data)
        return data


def _member(packed: bytes) -> Any:
    """Return what unpacks a member that begins with these bytes."""
    is_plain = len(packed) >= _GZIP_HEAD and packed[2] == zlib.DEFLATED and packed[3] & _ODD_FLAGS == 0
    return isal_zlib.decompressobj(_GZIP_WBITS) if is_plain else zlib.decompressobj(_GZIP_WBITS)


def _prefix(member: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """Unpack byte by byte what comes before the damage; unpacked at once, it is lost with the rest of its block."""
    with suppress(zlib.error):  # the damage itself, which the caller has noted
        for i in range(len(packed)):
            yield member.decompress(packed[i : i + 1])
