"""Lines of archive files, however they are packed: plain, gzip, zip with one member, or zstd, unpacked while they are read.

What unpacks to very much more than was packed is no market data; it is refused before it fills memory or disk.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from errno import EINVAL
from typing import IO, Final

import pyarrow as pa

from queuefront.core.errors import ConfigError, DataFormatError, TruncatedFileError
from queuefront.feed.sources.raw import RawLines

__all__ = ["PackedLines"]

_BLOCK_BYTES: Final = 2**20
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ZIP_MAGICS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others unpack without a bound
_ENCRYPTED: Final = 1

#: What the standard library raises at the bytes of a damaged zip archive.
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)


class PackedLines(RawLines):
    """The lines of a file, in blocks of whole lines, as `RawLines`.

    Parameters
    ----------
    path : the file.
    member : of a zip archive, which member to read; None: it must have only one.
    salvage : as in `RawLines`, of every packing.
    """

    def __init__(self, path: str | os.PathLike[str], *, member: str | None = None, salvage: bool = False) -> None:
        super().__init__(path, salvage=salvage)
        self._member = member

    def _chunks(self, file: IO[bytes]) -> Iterator[bytes]:
        head = file.read(4)
        file.seek(0)
        if head == _ZSTD_MAGIC:
            return self._of_zstd(file)
        if head in _ZIP_MAGICS:
            return self._of_zip(file)
        return super()._chunks(file)

    def _of_zstd(self, file: IO[bytes]) -> Iterator[bytes]:
        try:
            with pa.CompressedInputStream(pa.PythonFile(_Counted(self, file), mode="r"), "zstd") as stream:
                while chunk := stream.read(_BLOCK_BYTES):
                    yield chunk
        except (OSError, pa.ArrowException) as e:
            self._note(TruncatedFileError, f"the zstd data are damaged or end early ({e})", e)

    def _of_zip(self, file: IO[bytes]) -> Iterator[bytes]:
        while block := file.read(_BLOCK_BYTES):
            self._hash.update(block)
        try:
            with zipfile.ZipFile(file) as archive:
                member = self._choose(archive)
                with archive.open(member) as stream:
                    while chunk := stream.read(_BLOCK_BYTES):
                        self.bytes_done = min(file.tell(), self.bytes_total)
                        yield chunk
                self.bytes_done = self.bytes_total
        except EOFError as e:
            self._note(TruncatedFileError, "the zip archive ends inside of its member", e)
        except OSError as e:
            if e.errno != EINVAL:  # what seeking to a place that a damaged directory names gives
                raise
            self._note(DataFormatError, "the zip archive names places that it does not have", e)
        except ConfigError:
            raise
        except _ZIP_ERRORS as e:
            self._note(DataFormatError, f"the zip archive is damaged or ends early ({str(e)[:120]})", e)

    def _choose(self, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
        members = [member for member in archive.infolist() if not member.filename.endswith("/")]  # a name may be empty
        names = ", ".join(member.filename for member in members[:10])
        if self._member is not None:
            members = [member for member in members if member.filename == self._member]
        if len(members) != 1:
            if self._member is not None:
                raise ConfigError(f"{self.path}: the archive has no member {self._member!r}; it has {names or 'none'}")
            raise DataFormatError(
                f"{self.path}: the archive has {len(members):,} members ({names or 'none'}), and one is expected; unpack it"
            )
        if members[0].flag_bits & _ENCRYPTED:
            raise DataFormatError(f"{self.path}: {members[0].filename} is encrypted; unpack it first")
        if members[0].compress_type not in _METHODS:
            raise DataFormatError(
                f"{self.path}: {members[0].filename} is packed by method {members[0].compress_type}; unpack it"
            )
        return members[0]

    def _note(self, kind: type[DataFormatError], what: str, error: Exception) -> None:
        """Raise, or note the damage where what comes before it is wanted."""
        if isinstance(error, DataFormatError):
            raise error
        text = f"{self.path}: {what}; fetch the file again, or convert with on_bad='skip' to keep what is there"
        if not self._salvage:
            raise kind(text) from error
        self.damage = text


class _Counted:
    """A file whose reads count as the lines' own."""

    closed = False

    def __init__(self, lines: PackedLines, file: IO[bytes]) -> None:
        self._lines, self._file = lines, file

    def read(self, size: int = -1) -> bytes:
        return self._lines._read(self._file, size)  # noqa: SLF001 - the two are one thing

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True
