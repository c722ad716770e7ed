"""Keys to an account: where they come from, and that they go nowhere else.

The secret never leaves its object: it signs. The object shows nothing in a repr, a log line, an exception or a pickle, and
`redacted` removes what signed requests carry (signature, listen key, key) from texts that other libraries make.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from queuefront.core import ConfigError

__all__ = ["Credentials", "redacted"]

_KEY: Final = re.compile(r"[!-~]{16,512}")
_SENSITIVE: Final = re.compile(
    r"(?i)(\"?(?:signature|listenKey|apiKey|X-MBX-APIKEY|secret)\"?\s*(?:=|:)\s*[\"']?)([^\"'&\s,;)}\]]+)"
)
_LISTEN_KEY_IN_PATH: Final = re.compile(r"(/ws/)([A-Za-z0-9]{40,})")


def redacted(text: str) -> str:
    """Return a text without the values of signatures, listen keys and keys."""
    return _LISTEN_KEY_IN_PATH.sub(r"\1***", _SENSITIVE.sub(r"\1***", text))


class Credentials:
    """A key and the secret that signs for it (HMAC-SHA256).

    Raises
    ------
    ConfigError
        If either is not 16 to 512 printable characters without spaces; the message does not show it.
    """

    __slots__ = ("_api_key", "_secret")

    def __init__(self, api_key: str, secret: str, where: str = "credentials") -> None:
        for name, value in (("API key", api_key), ("API secret", secret)):
            if not isinstance(value, str) or not _KEY.fullmatch(value):
                raise ConfigError(
                    f"{where}: the {name} is not 16 to 512 printable characters without spaces; "
                    "copy it again from the venue"
                )
        self._api_key = api_key
        self._secret = secret.encode("ascii")

    @classmethod
    def from_environment(cls, prefix: str, environ: Mapping[str, str] | None = None) -> Credentials:
        """Read `<prefix>_API_KEY` and `<prefix>_API_SECRET`."""
        environ = os.environ if environ is None else environ
        names = (f"{prefix}_API_KEY", f"{prefix}_API_SECRET")
        for name in names:
            if not environ.get(name):
                raise ConfigError(f"the environment has no {name}; set {names[0]} and {names[1]}, or name a file of keys")
        return cls(environ[names[0]], environ[names[1]], f"environment {prefix}_*")

    @classmethod
    def from_file(cls, path: Path) -> Credentials:
        """Read `api_key` and `api_secret` of a TOML file that only its owner can read.

        Raises
        ------
        ConfigError
            If others may read or change the file, if it is not ours, or if it lacks a key.
        """
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())  # of what is read, not of what stood there a moment before
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError(f"{path}: it is no plain file; name a file with api_key and api_secret")
            if status.st_uid != os.getuid():
                raise ConfigError(f"{path}: the file of keys belongs to another user; make a copy of your own")
            if status.st_mode & 0o077:
                raise ConfigError(f"{path}: others may use the file of keys; run chmod 600 {path}")
            text = file.read()
        try:
            table = tomllib.loads(text.decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            # Their messages quote the file.
            raise ConfigError(f'{path}: it is no TOML; write api_key = "…" and api_secret = "…"') from None
        for name in ("api_key", "api_secret"):
            if name not in table:
                raise ConfigError(f'{path}: it has no {name}; write {name} = "…"')
        return cls(table["api_key"], table["api_secret"], str(path))

    @property
    def api_key(self) -> str:
        """The key, which the venue wants in a header; not for printing."""
        return self._api_key

    def sign(self, payload: bytes) -> str:
        """Return the HMAC-SHA256 of a payload, lower-case hexadecimal."""
        return hmac.new(self._secret, payload, hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        return "Credentials(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials cannot be pickled or copied; read them again where they are needed")
