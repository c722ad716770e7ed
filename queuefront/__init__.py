"""Queuefront: tick-level backtesting with queue positions and latencies.

Names are loaded when they are first used, so that `import queuefront` costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from queuefront.backtest import Backtest, Run
    from queuefront.bot import StateValues
    from queuefront.core import Instrument, QueuefrontError
    from queuefront.core.enums import (
        ALL_ASSETS,
        BUY,
        CANCELED,
        EXPIRED,
        FILLED,
        FOK,
        GTC,
        GTX,
        IOC,
        LIMIT,
        MARKET,
        NEW,
        NONE,
        PARTIALLY_FILLED,
        SELL,
    )
    from queuefront.feed import (
        SynthConfig,
        Tape,
        convert_lines,
        read_events,
        synthesize,
        synthesize_orders,
        synthetic_instrument,
        write_npz,
    )
    from queuefront.sim import (
        Asset,
        ConstantLatency,
        DirectionalFees,
        DirectionalQtyFees,
        FifoQueue,
        FlatFees,
        Funding,
        InterpolatedLatency,
        LogQueue,
        LogQueue2,
        NoPartialFill,
        OwnExchange,
        OwnFees,
        OwnLatency,
        OwnQueue,
        PartialFill,
        PowerQueue,
        PowerQueue2,
        PowerQueue3,
        QtyFees,
        RiskAverseQueue,
        SampledLatency,
        TieredFees,
        ValueFees,
    )

__all__ = [
    "ALL_ASSETS",
    "BUY",
    "CANCELED",
    "EXPIRED",
    "FILLED",
    "FOK",
    "GTC",
    "GTX",
    "IOC",
    "LIMIT",
    "MARKET",
    "NEW",
    "NONE",
    "PARTIALLY_FILLED",
    "SELL",
    "Asset",
    "Backtest",
    "ConstantLatency",
    "DirectionalFees",
    "DirectionalQtyFees",
    "FifoQueue",
    "FlatFees",
    "Funding",
    "Instrument",
    "InterpolatedLatency",
    "LogQueue",
    "LogQueue2",
    "NoPartialFill",
    "OwnExchange",
    "OwnFees",
    "OwnLatency",
    "OwnQueue",
    "PartialFill",
    "PowerQueue",
    "PowerQueue2",
    "PowerQueue3",
    "QtyFees",
    "QueuefrontError",
    "RiskAverseQueue",
    "Run",
    "SampledLatency",
    "StateValues",
    "SynthConfig",
    "Tape",
    "TieredFees",
    "ValueFees",
    "convert_lines",
    "read_events",
    "synthesize",
    "synthesize_orders",
    "synthetic_instrument",
    "write_npz",
]

_HOMES = {
    "queuefront.backtest": ("Backtest", "Run"),
    "queuefront.bot": ("StateValues",),
    "queuefront.core": ("Instrument", "QueuefrontError"),
    "queuefront.core.enums": (
        "ALL_ASSETS",
        "BUY",
        "CANCELED",
        "EXPIRED",
        "FILLED",
        "FOK",
        "GTC",
        "GTX",
        "IOC",
        "LIMIT",
        "MARKET",
        "NEW",
        "NONE",
        "PARTIALLY_FILLED",
        "SELL",
    ),
    "queuefront.feed": (
        "SynthConfig",
        "Tape",
        "convert_lines",
        "read_events",
        "synthesize",
        "synthesize_orders",
        "synthetic_instrument",
        "write_npz",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'queuefront' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF.get(name, "queuefront.sim")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
