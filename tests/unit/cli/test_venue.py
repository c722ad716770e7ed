"""`qf venue` as a user runs it, against a venue on this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.unit.cli.local_venue import local_venue
from tests.unit.cli.runs import qf

KEYS = 'api_key = "kkkkkkkkkkkkkkkkkkkk"\napi_secret = "ssssssssssssssssssss"\n'


def key_file(folder: Path) -> Path:
    path = folder / "keys.toml"
    path.write_text(KEYS)
    path.chmod(0o600)
    return path


def test_a_check_tells_addresses_clock_instruments_and_limits() -> None:
    with local_venue() as venue:
        ran = qf("venue", "check", "binance-usdm", "BTCUSDT", "--at", venue.url)
    assert (ran.code, ran.err) == (0, "")
    assert "binance-usdm (custom)" in ran.rows
    assert f"REST {venue.url}" in ran.rows
    assert "money not real" in ran.rows
    assert "instruments 1 listed, 1 trading" in ran.rows
    assert "account not asked: no keys" in ran.rows
    assert any(row.startswith("clock, venue minus ours ") and "±" in row for row in ran.rows)
    assert any(row.startswith("limit: weight in 00:01:00.000 ") for row in ran.rows)
    assert "BTCUSDT 0.1 0.001 0 yes" in ran.rows
    assert ran.rows[-1] == "no problem found"


def test_with_keys_the_account_is_looked_at_and_the_keys_are_not_shown(tmp_path: Path) -> None:
    with local_venue() as venue:
        ran = qf("venue", "check", "binance-usdm", "BTCUSDT", "--at", venue.url, "--keys", key_file(tmp_path))
        assert ran.code == 0
        for row in (
            "may trade yes",
            "position mode one-way",
            "balances 1 assets",
            "fees of BTCUSDT maker 0.0002, taker 0.0005",
        ):
            assert row in ran.rows
        venue.account = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
        ran = qf("venue", "check", "binance-usdm", "--at", venue.url, "--keys", key_file(tmp_path))
    assert ran.code == 1
    assert "problem: account: refused, auth: -2015 Invalid API-key, IP, or permissions for action." in ran.rows
    assert "kkkk" not in ran.out
    assert "ssss" not in ran.out


def test_a_clock_that_is_off_and_a_symbol_that_is_not_listed_are_problems() -> None:
    with local_venue() as venue:
        venue.clock_offset_ms = 60_000
        ran = qf("venue", "check", "binance-usdm", "XYZUSDT", "--at", venue.url)
    assert ran.code == 1
    assert ran.rows[-1] == "2 problems"
    assert "problem: the venue lists no XYZUSDT; `qf venue check` shows what it lists" in ran.rows
    assert any(row.startswith("problem: this machine's clock is ") and " behind; " in row for row in ran.rows)


def test_a_venue_that_does_not_answer_is_one_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    for command in (("check", "binance-usdm"), ("book", "BTCUSDT")):
        ran = qf("venue", *command, "--at", url)
        assert ran.code == 6
        assert ran.err.count("\n") == 1
        assert ran.err.startswith(f"qf venue {command[0]}: ")
        assert "no connection" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "binance"), "venue 'binance' is unknown; choose one of binance-spot, binance-usdm, binance-coinm"),
        (
            ("check", "binance-spot", "--testnet", "--at", "http://127.0.0.1:1"),
            "--testnet and --at name two places; give one of them",
        ),
        (
            ("book", "BTCUSDT", "--at", "http://example.org"),
            "rest is 'http://example.org': keys would go unencrypted; use https://",
        ),
    ],
)
def test_wrong_arguments_are_one_line(arguments: tuple[str, ...], message: str) -> None:
    ran = qf("venue", *arguments)
    assert (ran.code, ran.err) == (2, f"qf venue {arguments[0]}: {message}\n")


def test_the_book_comes_as_lines_where_there_is_no_terminal() -> None:
    with local_venue() as venue:
        ran = qf("venue", "book", "BTCUSDT", "--at", venue.url, "--seconds", "1.5", "--every", "0.5")
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.rows) == 3
    assert "BTCUSDT in sync: 1 @ 100 | 2 @ 100.1 gaps=0 syncs=1" in ran.rows[-1]
    assert " depth=" in ran.rows[-1]
    assert " trade=" in ran.rows[-1]


def test_a_symbol_that_is_not_listed_has_no_book() -> None:
    with local_venue() as venue:
        ran = qf("venue", "book", "XYZUSDT", "--at", venue.url)
    assert (ran.code, ran.err) == (6, "qf venue book: the venue lists no XYZUSDT; `qf venue check` shows what it lists\n")


def test_each_command_shows_an_example() -> None:
    for command in ("check", "book"):
        assert f"Example: qf venue {command} " in qf("venue", command, "--help").out
