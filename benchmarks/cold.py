"""One backtest in a process of its own: `python -m benchmarks.cold ours|theirs MARKET.json STRATEGY.py`.

Prints the outcome as JSON. The parent measures time and memory from outside.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

from benchmarks.market import Market


def main() -> None:
    """Run and print."""
    engine_name, market_text, strategy_path = sys.argv[1:]
    market = Market.from_json(market_text)
    from benchmarks.engines import Ours, Theirs, load

    strategy = load(Path(strategy_path))
    engine = Ours(market) if engine_name == "ours" else Theirs(market, from_file=True)
    _, outcome = engine.run(strategy)
    print(json.dumps(dataclasses.asdict(outcome)))


if __name__ == "__main__":
    main()
