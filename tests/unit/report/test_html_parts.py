from __future__ import annotations

import pytest

from queuefront.report import html_parts as parts
from queuefront.report.outcomes import OrderOutcomes
from queuefront.report.summary import AssetSummary, Summary
from tests.unit.report.records import SECOND, T0

EVIL = "<script>alert(1)</script>"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;"


def summary_of(*assets: AssetSummary) -> Summary:
    return Summary(assets=assets, total=None, sharpe_interval="10s", trading_days_per_year=365)


def orders(**counts: int) -> OrderOutcomes:
    return OrderOutcomes(**{"submitted": 10, "answered": 10} | counts)


@pytest.mark.parametrize(
    "markup",
    [
        parts.masthead(EVIL, summary_of(AssetSummary(name=EVIL)), []),
        parts.notes([EVIL]),
        parts.tabs([EVIL, "x"]),
        parts.section(0, EVIL, ""),
        parts.headline(AssetSummary(name="X", currency=EVIL, net_profit=1.0)),
        parts.chart("run-0", EVIL, EVIL, EVIL),
        parts.summary_table(summary_of(AssetSummary(name="X", currency=EVIL))),
        parts.summary_table(summary_of(AssetSummary(name=EVIL), AssetSummary(name="Y"))),
        parts.configuration({EVIL: [{EVIL: EVIL}]}),
        parts.tape_table([{EVIL: EVIL, "symbol": EVIL}]),
    ],
)
def test_outside_text_is_escaped(markup: str) -> None:
    assert EVIL not in markup
    assert SAFE in markup


def test_the_masthead_tells_assets_span_and_events() -> None:
    asset = AssetSummary(name="BTCUSDT", venue="venue", start_ts=T0, end_ts=T0 + 90 * SECOND)
    markup = parts.masthead("Run", summary_of(asset, AssetSummary(name="X")), [{"events": 1_000}, {"events": 500}, {}])
    for text in ("venue:BTCUSDT, X", "2023-11-14 22:13:20 to 2023-11-14 22:14:50 UTC", "00:01:30.000", "1,500 events"):
        assert f"<span>{text}</span>" in markup


def test_no_notes_are_no_box() -> None:
    assert parts.notes([]) == ""


def test_gains_and_losses_carry_their_sign_and_not_only_a_color() -> None:
    assert '<dd class="figure gain">+1.5' in parts.headline(AssetSummary(name="X", net_profit=1.5))
    assert '<dd class="figure loss">−1.5' in parts.headline(AssetSummary(name="X", net_profit=-1.5))
    assert '<dd class="figure ">0<' in parts.headline(AssetSummary(name="X", net_profit=0.0))


def test_the_headline_relates_profit_to_drawdown_and_fills_to_orders() -> None:
    asset = AssetSummary(
        name="X", net_profit=-1.0, max_drawdown=4.0, fills=3, maker_share=0.5, orders=orders(filled=2), sharpe=1.234
    )
    markup = parts.headline(asset)
    for text in (
        "net profit is −0.25× the drawdown",
        "50.00% of value as maker",
        "2 of 10 orders",
        ">1.23<",
        "latency in –, back –",
    ):
        assert text in markup


def test_the_total_shows_what_adds_up() -> None:
    markup = parts.headline(AssetSummary(name="Total", value=12.0, orders=orders()), is_total=True)
    assert "Largest |position|" not in markup
    assert "by all assets" in markup
    assert "orders were not recorded" in parts.headline(AssetSummary(name="Total"), is_total=True)


@pytest.mark.parametrize(
    ("outcomes", "lead"),
    [
        (None, "Order changes were not recorded, so the reason is not known."),
        (orders(submitted=0), "The strategy sent no order."),
        (orders(answered=0), "None of 10 orders was answered by the exchange."),
        (orders(expired=10), "All 10 orders expired on arrival."),
        (orders(canceled=8, expired=1), "10 orders were sent, 8 canceled, 1 expired; none was reached."),
    ],
)
def test_a_run_without_fills_says_what_is_known_of_the_reason(outcomes: OrderOutcomes | None, lead: str) -> None:
    markup = parts.no_fills(outcomes)
    assert f"<b>No fills:</b> {lead} Likely:" in markup
    assert "<li>" in markup


def test_a_configuration_is_shown_in_full() -> None:
    config = {
        "a": {"b": 1_000_000, "c": None},
        "l": ["x", 2],
        "e": [],
        "d": {},
        "t": True,
        "f": False,
        "s": "",
        "n": [{"k": 0.5}, [1]],
    }
    markup = parts.configuration(config)
    for key, text in (
        ("a.b", "1,000,000"), ("a.c", "(none)"), ("l", "x, 2"), ("e", "(none)"), ("d", "{}"), ("t", "yes"), ("f", "no"),
        ("s", "(empty)"), ("n[0].k", "0.5"), ("n[1]", "1"),
    ):  # fmt: skip
        assert f"<dt>{key}</dt><dd>{text}</dd>" in markup
    assert "&quot;b&quot;: 1000000" in markup


def test_a_missing_configuration_and_missing_tapes_are_said() -> None:
    assert "The run was not given one." in parts.configuration({})
    assert "The tapes were not named." in parts.tape_table([])


def test_tapes_are_identified_in_a_fixed_order_and_unknown_keys_follow() -> None:
    tapes = [
        {"zeta": 1.5, "checksum": "ab", "events": 1_000, "symbol": "X", "start_ts": T0},
        {"symbol": "Y", "end_ts": "late"},
    ]
    markup = parts.tape_table(tapes)
    head = markup[: markup.index("<tbody>")]
    assert [head.index(f">{h}<") for h in ("Symbol", "Start (UTC)", "End (UTC)", "Events", "Checksum", "Zeta")] == sorted(
        head.index(f">{h}<") for h in ("Symbol", "Start (UTC)", "End (UTC)", "Events", "Checksum", "Zeta")
    )
    for cell in (
        "<td>2023-11-14 22:13:20</td>",
        "<td>1,000</td>",
        '<td class="checksum">ab</td>',
        "<td>late</td>",
        "<td>–</td>",
    ):
        assert cell in markup


def test_a_minus_sign_replaces_the_hyphen_of_numbers_only() -> None:
    markup = parts.summary_table(summary_of(AssetSummary(name="X", start_ts=T0, net_profit=-2.0)))
    assert ">−2<" in markup
    assert ">2023-11-14 22:13:20.000<" in markup
