"""`qf passport`: how good is a tape?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from queuefront.cli.terminal import guarded, print_pairs, print_table

if TYPE_CHECKING:
    from queuefront.feed import Passport

__all__ = ["passport", "span_ns_of"]

_SHOWN_COUNT = 20
_UNITS_NS = {"s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9, "d": 86_400 * 10**9}


@guarded
def passport(
    tape: Annotated[Path, typer.Argument(metavar="TAPE", help="A .tape file.")],
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write it as a page with plots.")] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write everything measured and judged.")
    ] = None,
    thresholds: Annotated[
        Path | None, typer.Option("--thresholds", metavar="FILE.toml", help="Limits of your own, see docs/passport.md.")
    ] = None,
    span: Annotated[
        str | None, typer.Option("--span", metavar="TIME", help="Length of the judged spans, such as 10s, 1m, 1h.")
    ] = None,
) -> None:
    """Show how good a tape is: what was measured, what is wrong with it, and when.

    \b
    Example: qf passport btc.tape --html btc.html --span 1m
    """
    from queuefront.core import format_duration, format_ts
    from queuefront.feed import PassportThresholds, Tape, passport_of
    from queuefront.report import figures_of, stretches_of, verdict_text, write_passport

    market = Tape.open(tape)
    limits = None if thresholds is None else PassportThresholds.from_toml(thresholds)
    found = passport_of(market, limits, span_ns=None if span is None else span_ns_of(span))
    typer.echo(f"{tape} is {verdict_text(found)}\n")
    for group, rows in figures_of(found, market.instrument):
        print_pairs(group.lower(), rows)
    stretches = stretches_of(found)
    print_table(
        "what is wrong",
        ("from", "for", "verdict", "why"),
        [
            (format_ts(s.start_ts)[:19], format_duration(s.end_ts - s.start_ts), s.verdict.word, "; ".join(s.reasons))
            for s in stretches[:_SHOWN_COUNT]
        ],
        number_columns=(1,),
    )
    if len(stretches) > _SHOWN_COUNT:
        typer.echo(f"{len(stretches) - _SHOWN_COUNT:,} more stretches: --html FILE or --json FILE has them")
    if html is not None:
        write_passport(html, found, market.instrument, title=tape.name)
    if json is not None:
        _write_json(json, found)


def span_ns_of(text: str) -> int:
    """Return the length of a span as it is written: a whole number and s, m, h or d.

    Raises
    ------
    ConfigError
        For any other text.
    """
    from queuefront.core import ConfigError

    match = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text)
    if match is None:
        raise ConfigError(f"--span {text!r} is no length of time; write it like 10s, 1m, 4h or 1d")
    return int(match[1]) * _UNITS_NS[match[2]]


def _write_json(path: Path, found: Passport) -> None:
    import msgspec

    from queuefront.feed import replacing

    with replacing(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(found.to_dict()), indent=2) + b"\n")
