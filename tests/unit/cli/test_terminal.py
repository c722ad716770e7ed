"""Errors on one line with their exit code; tables."""

from __future__ import annotations

import pytest
import typer

from queuefront.cli.terminal import fail, guarded, instrument_pairs, one_line, print_pairs, print_table, span_pairs
from queuefront.core import DataError, Instrument, InvariantError, StrategyError


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (DataError("btc.tape: row 3:\n  bad"), "qf cmd: btc.tape: row 3: bad", 4),
        (StrategyError("no function"), "qf cmd: no function", 3),
        (InvariantError("lost a cent"), "qf cmd: lost a cent", 70),
        (FileNotFoundError(2, "No such file or directory", "x.gz"), "qf cmd: x.gz: no such file or directory", 2),
        (PermissionError(13, "Permission denied", "x.gz"), "qf cmd: x.gz: permission denied", 2),
        (OSError("disk on fire"), "qf cmd: disk on fire", 2),
        (KeyboardInterrupt(), "qf cmd: interrupted", 130),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, message: str, code: int
) -> None:
    @guarded
    def cmd() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        cmd()
    assert caught.value.exit_code == code
    assert capsys.readouterr() == ("", f"{message}\n")


def test_a_bug_keeps_its_traceback() -> None:
    @guarded
    def cmd() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cmd()


def test_failing_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        fail("cmd", "first\n   second", 9)
    assert capsys.readouterr().err == "qf cmd: first second\n"


def test_white_space_is_made_single() -> None:
    assert one_line("  a\n\t b  ") == "a b"


def test_a_table_shows_head_rows_and_separated_thousands(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("events", ("kind", "count"), [("depth [x]", 1234567), ("trade", 5)], number_columns=(1,))
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "events",
        "kind           count",
        "depth [x]  1,234,567",
        "trade              5",
        "",
    ]


def test_a_table_without_rows_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("events", ("kind", "count"), [], number_columns=(1,))
    assert capsys.readouterr().out == ""


def test_pairs_without_a_value_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_pairs("file", [("events", 1234), ("damage", None), ("is_whole", True)])
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "file",
        "events    1,234",
        "is_whole  True",
        "",
    ]


def test_a_span_is_its_ends_and_its_length() -> None:
    assert span_pairs("local", 1_500_000_000, 4_500_000_000) == [
        ("first local time", "1970-01-01T00:00:01.500000000Z"),
        ("last local time", "1970-01-01T00:00:04.500000000Z"),
        ("local duration", "00:00:03.000"),
    ]
    assert span_pairs("local", None, None) == [("local time", "none")]


def test_an_instrument_is_its_name_and_its_steps() -> None:
    assert instrument_pairs(Instrument("binance", "BTCUSDT", "0.10", "0.001")) == [  # type: ignore[arg-type]
        ("instrument", "binance BTCUSDT, linear"),
        ("tick size", "0.1"),
        ("lot size", "0.001"),
        ("multiplier", "1"),
    ]
