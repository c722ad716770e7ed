"""`qf synth`: draw a synthetic market from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from queuefront.cli.market_file import kind_of, refuse_existing, write_market
from queuefront.cli.progress import spinner
from queuefront.cli.terminal import guarded, instrument_pairs, print_pairs, span_pairs

__all__ = ["synth"]


@guarded
def synth(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Output: .tape, .npz or .parquet.")],
    events: Annotated[int, typer.Option(min=1, help="How many events; rows that both clocks order differently are split.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    mid_price: Annotated[str, typer.Option(help="Price at the start.")] = "60000",
    tick_size: Annotated[str, typer.Option(help="Price step.")] = "0.1",
    lot_size: Annotated[str, typer.Option(help="Quantity step.")] = "0.001",
    levels: Annotated[int, typer.Option(help="Price levels on each side at the start.")] = 30,
    steps_per_s: Annotated[float, typer.Option(help="Orders, cancels and trades in a second, on the whole.")] = 250.0,
    volatility_ticks: Annotated[float, typer.Option(help="Of the efficient price, a square root of a second.")] = 3.0,
    market_share: Annotated[float, typer.Option(help="Share of market orders among the steps.")] = 0.08,
    latency_us: Annotated[float, typer.Option(help="Mean feed latency.")] = 2_000.0,
    jitter_us: Annotated[float, typer.Option(help="How much the feed latency varies.")] = 500.0,
    contract: Annotated[str, typer.Option(help="linear, or inverse: settled in the base coin.")] = "linear",
    multiplier: Annotated[str, typer.Option(help="Contract size.")] = "1",
    by_order: Annotated[bool, typer.Option("--by-order", help="Tell every order (L3) instead of price levels.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing output.")] = False,
) -> None:
    """Draw a synthetic market from a seed.

    It is there for examples and tests; nothing learned on it carries over to a real market.

    \b
    Example: qf synth -o market.tape --events 1000000 --seed 7
             qf synth -o coin.tape --events 200000 --contract inverse --multiplier 100 --lot-size 1
    """
    kind = kind_of(out)
    refuse_existing(out, force=force)
    from queuefront.feed import SynthConfig, synthesize, synthesize_orders, synthetic_instrument

    config = SynthConfig(
        seed=seed,
        events=events,
        tick_size=tick_size,
        lot_size=lot_size,
        mid_price=mid_price,
        levels=levels,
        steps_per_s=steps_per_s,
        volatility_ticks=volatility_ticks,
        market_share=market_share,
        latency_us=latency_us,
        jitter_us=jitter_us,
    )
    instrument = synthetic_instrument(config).override(contract=contract, multiplier=multiplier)
    with spinner(f"drawing {events:,} events"):
        rows = synthesize_orders(config) if by_order else synthesize(config)
        write_market(out, kind, rows, instrument, f"synthetic, seed {seed}")
    span = span_pairs("exchange", int(rows["exch_ts"].min()), int(rows["exch_ts"].max()))
    print_pairs(f"{out} ({kind.value})", [*instrument_pairs(instrument), ("seed", seed), ("events", len(rows)), *span])
