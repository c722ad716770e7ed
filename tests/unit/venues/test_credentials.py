"""Keys come from the environment or from a file that nobody else can read, and are never shown."""

from __future__ import annotations

import copy
import logging
import pickle
import re
import traceback
from pathlib import Path

import pytest

from queuefront.core import ConfigError
from queuefront.venues.credentials import Credentials, redacted

KEY = "k" * 20 + "KEY1"
SECRET = "s" * 20 + "SECRET1"


def test_they_are_read_from_the_environment() -> None:
    credentials = Credentials.from_environment("BINANCE", {"BINANCE_API_KEY": KEY, "BINANCE_API_SECRET": SECRET})
    assert credentials.api_key == KEY
    assert credentials.sign(b"x") == Credentials(KEY, SECRET).sign(b"x")


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        Credentials.from_environment("BINANCE", {"BINANCE_API_KEY": KEY})
    assert str(caught.value) == (
        "the environment has no BINANCE_API_SECRET; set BINANCE_API_KEY and BINANCE_API_SECRET, or name a file of keys"
    )


def key_file(folder: Path, text: str = f'api_key = "{KEY}"\napi_secret = "{SECRET}"\n', mode: int = 0o600) -> Path:
    path = folder / "keys.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_they_are_read_from_a_file_of_ones_own(tmp_path: Path) -> None:
    assert Credentials.from_file(key_file(tmp_path)).sign(b"x") == Credentials(KEY, SECRET).sign(b"x")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = key_file(tmp_path, mode=mode)
    with pytest.raises(ConfigError) as caught:
        Credentials.from_file(path)
    assert str(caught.value) == f"{path}: others may use the file of keys; run chmod 600 {path}"


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = key_file(tmp_path)
    monkeypatch.setattr("os.getuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(ConfigError) as caught:
        Credentials.from_file(path)
    assert str(caught.value) == f"{path}: the file of keys belongs to another user; make a copy of your own"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Credentials.from_file(Path("/dev/null"))
    assert str(caught.value) == "/dev/null: it is no plain file; name a file with api_key and api_secret"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{SECRET} is no TOML", 'it is no TOML; write api_key = "…" and api_secret = "…"'),
        (f'api_key = "{KEY}"\n', 'it has no api_secret; write api_secret = "…"'),
        (
            f'api_key = "{KEY}"\napi_secret = "short"\n',
            "the API secret is not 16 to 512 printable characters without spaces; copy it again from the venue",
        ),
        (
            f'api_key = 5\napi_secret = "{SECRET}"\n',
            "the API key is not 16 to 512 printable characters without spaces; copy it again from the venue",
        ),
    ],
)
def test_a_file_without_usable_keys_is_refused_and_not_quoted(tmp_path: Path, text: str, message: str) -> None:
    path = key_file(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        Credentials.from_file(path)
    assert str(caught.value) == f"{path}: {message}"
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown.replace(repr(text), "").replace(text, "")


def test_nothing_shows_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    credentials = Credentials(KEY, SECRET)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("t").debug("%s %r", credentials, credentials)
    shown = f"{credentials} {credentials!r} {[credentials]} {caplog.text}"
    assert KEY not in shown
    assert SECRET not in shown
    assert "Credentials(***)" in shown
    assert not hasattr(credentials, "__dict__")


def test_they_cannot_be_pickled_or_copied() -> None:
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        message = "credentials cannot be pickled or copied; read them again where they are needed"
        with pytest.raises(TypeError, match=re.escape(message)):
            copied(Credentials(KEY, SECRET))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET /order?symbol=X&signature=abc123&a=1", "GET /order?symbol=X&signature=***&a=1"),
        ('{"listenKey":"pqia91"}', '{"listenKey":"***"}'),
        ("X-MBX-APIKEY: abcdef", "X-MBX-APIKEY: ***"),
        ("wss://host/private/ws/" + "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81", "wss://host/private/ws/***"),
        ("/ws/btcusdt@depth/ethusdt@depth", "/ws/btcusdt@depth/ethusdt@depth"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_texts_of_other_libraries_lose_what_signs(text: str, clean: str) -> None:
    assert redacted(text) == clean
