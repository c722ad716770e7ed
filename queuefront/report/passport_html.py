"""The passport of a tape as an HTML page: the verdict, why, and what was measured over time; one file, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from queuefront.core import format_duration, format_ts
from queuefront.feed import Passport, PassportThresholds, Verdict
from queuefront.report import html_parts as parts
from queuefront.report.html_page import Charts, html_page
from queuefront.report.passport_plots import passport_figure
from queuefront.report.passport_text import figures_of, rate_of, stretches_of
from queuefront.report.summary_text import latency, number, percent

if TYPE_CHECKING:
    from queuefront.core import Instrument

__all__ = ["write_passport"]

_STRETCHES_LISTED_MAX: Final = 300
_KINDS: Final = {Verdict.GOOD: "gain", Verdict.SUSPECT: "", Verdict.BAD: "loss"}
_FOOTER: Final = '<footer class="footer">Queuefront passport of a tape. This file is complete: it loads nothing.</footer>'


def write_passport(path: str | Path, passport: Passport, instrument: Instrument, *, title: str) -> Path:
    """Write the page of a passport and return its path; the same passport gives the same bytes.

    Parameters
    ----------
    path : of the file; its folder must exist.
    instrument : of the tape.
    title : of the page, such as the tape's file name.
    """
    charts = Charts()
    body = [
        _masthead(title, passport, instrument),
        "<main>",
        parts.notes([text for _, text in passport.reasons]),
        f'<section data-asset="0" aria-label="{escape(title)}">',
        _headline(passport),
    ]
    if passport.measures.span_count:
        charts.add("run-passport", passport_figure(passport, instrument))
        aside = "Bad spans are shaded red, suspect ones yellow."
        body.append(parts.chart("run-passport", f"Rates, prices and latencies of {title} over time", aside))
    body += [_stretches(passport), _figures(passport, instrument), _limits(passport), "</section>", "</main>", _FOOTER]
    target = Path(path)
    facts = {"verdict": passport.verdict.word, "reasons": [text for _, text in passport.reasons]}
    target.write_text(html_page(title, "\n".join(body), charts, facts), encoding="utf-8")
    return target


def _masthead(title: str, passport: Passport, instrument: Instrument) -> str:
    measures = passport.measures
    told = [f"{instrument.venue}:{instrument.symbol}", f"{measures.rows:,} rows"]
    if measures.span_count:
        covered = sum(measures.columns["covered_ns"])
        told += [f"from {format_ts(measures.first_ts)[:19].replace('T', ' ')} UTC", format_duration(covered)]
    spans = "".join(f"<span>{escape(text)}</span>" for text in told)
    return (
        f'<header class="masthead"><div><h1>Passport of {escape(title)}</h1><p class="subtitle">{spans}</p></div>'
        '<button class="theme" type="button" hidden></button></header>'
        '<noscript><main><div class="note"><p>The charts need JavaScript; figures and tables are below.</p></div></main>'
        "</noscript>"
    )


def _headline(passport: Passport) -> str:
    measures = passport.measures
    counts, shares, columns = passport.span_counts, passport.time_shares, measures.columns
    covered = max(sum(columns["covered_ns"]), 1)
    quantiles = measures.totals.latency_ns
    spans = f"{measures.span_count:,} spans of {format_duration(measures.span_ns)}"
    bad, suspect = counts[Verdict.BAD], counts[Verdict.SUSPECT]
    usual = latency(measures.totals.interval_ns.get("p99"))
    crossed, locked = (percent(sum(columns[name]) / covered) for name in ("crossed_ns", "locked_ns"))
    gaps, refused = measures.account.sequence_gaps, measures.account.refused
    cards = [
        ("Verdict", passport.verdict.word, _KINDS[passport.verdict], spans),
        ("Bad time", percent(shares[Verdict.BAD]), "loss" if bad else "", f"{bad:,} spans"),
        ("Suspect time", percent(shares[Verdict.SUSPECT]), "", f"{suspect:,} spans"),
        ("Longest silence", format_duration(max(columns["silence_ns"], default=0)), "", f"usually within {usual}"),
        ("Crossed book", crossed, "", f"locked {locked}"),
        ("Feed latency, median", latency(quantiles.get("p50")), "", f"99 % within {latency(quantiles.get('p99'))}"),
        ("Rows a second", number(rate_of(passport)), "", f"{sum(columns['trades']):,} trades in all"),
        ("Sequence gaps", f"{gaps:,}", "loss" if gaps else "", f"{refused:,} lines left out"),
    ]
    return "".join(
        (
            '<dl class="headline">',
            *(
                f'<div><dt>{escape(label)}</dt><dd class="figure {kind}">{escape(text)}</dd>'
                f'<dd class="detail">{escape(detail)}</dd></div>'
                for label, text, kind, detail in cards
            ),
            "</dl>",
        )
    )


def _stretches(passport: Passport) -> str:
    stretches = stretches_of(passport)
    if not stretches:
        return _card("What is wrong", '<p class="aside">Nothing was found.</p>')
    rows = [
        (_moment(s.start_ts), format_duration(s.end_ts - s.start_ts), s.verdict.word, "; ".join(s.reasons))
        for s in stretches[:_STRETCHES_LISTED_MAX]
    ]
    rest = len(stretches) - len(rows)
    tail = f'<p class="aside">{rest:,} further stretches are not listed.</p>' if rest else ""
    return _card("What is wrong", _table(("From (UTC)", "For", "Verdict", "Why"), rows) + tail)


def _figures(passport: Passport, instrument: Instrument) -> str:
    tables = "".join(
        f'<table><tbody class="group"><tr><th scope="rowgroup" colspan="2">{escape(group)}</th></tr>'
        + "".join(f'<tr><th scope="row">{escape(k)}</th><td class="amount">{escape(v)}</td></tr>' for k, v in rows)
        + "</tbody></table>"
        for group, rows in figures_of(passport, instrument)
    )
    return _card("Measured", f'<div class="groups">{tables}</div>')


def _limits(passport: Passport) -> str:
    rows = "".join(
        f"<div><dt>{escape(field.name)}</dt><dd>{getattr(passport.thresholds, field.name):,}</dd></div>"
        for field in fields(PassportThresholds)
    )
    return _card("Limits", f'<dl class="settings">{rows}</dl>')


def _card(heading: str, content: str) -> str:
    return f'<div class="card"><h2>{escape(heading)}</h2>{content}</div>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table></div>'


def _moment(ns: int) -> str:
    return format_ts(ns)[:19].replace("T", " ")
