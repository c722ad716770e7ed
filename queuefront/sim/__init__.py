"""The replayed exchange: latency, queue, fee, contract and exchange models, and the event loop.

Names are loaded when they are first used: who names models and assets needs no compiled code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queuefront.core.lazy import lazily

if TYPE_CHECKING:
    from queuefront.sim.asset import Asset
    from queuefront.sim.build import (
        ASSET_COUNT_MAX,
        AssetResult,
        build_backtester,
        read_changes,
        read_error_code,
        read_results,
        read_series,
    )
    from queuefront.sim.depth import ReplayDepth
    from queuefront.sim.fees import DirectionalFees, DirectionalQtyFees, FeeModel, FlatFees, QtyFees, TieredFees, ValueFees
    from queuefront.sim.funding import Funding
    from queuefront.sim.latencies import ConstantLatency, InterpolatedLatency, LatencyModel, SampledLatency
    from queuefront.sim.loop_compiled import Backtester
    from queuefront.sim.models import (
        ExchangeModel,
        FifoQueue,
        LogQueue,
        LogQueue2,
        NoPartialFill,
        PartialFill,
        PowerQueue,
        PowerQueue2,
        PowerQueue3,
        QueueModel,
        RiskAverseQueue,
    )
    from queuefront.sim.own import OwnExchange, OwnFees, OwnLatency, OwnQueue
    from queuefront.sim.replay_asset import ReplayAsset

__all__ = [
    "ASSET_COUNT_MAX",
    "Asset",
    "AssetResult",
    "Backtester",
    "ConstantLatency",
    "DirectionalFees",
    "DirectionalQtyFees",
    "ExchangeModel",
    "FeeModel",
    "FifoQueue",
    "FlatFees",
    "Funding",
    "InterpolatedLatency",
    "LatencyModel",
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
    "QueueModel",
    "ReplayAsset",
    "ReplayDepth",
    "RiskAverseQueue",
    "SampledLatency",
    "TieredFees",
    "ValueFees",
    "build_backtester",
    "read_changes",
    "read_error_code",
    "read_results",
    "read_series",
]

_HOMES: Final = {
    "asset": ("Asset",),
    "build": (
        "ASSET_COUNT_MAX",
        "AssetResult",
        "build_backtester",
        "read_changes",
        "read_error_code",
        "read_results",
        "read_series",
    ),
    "depth": ("ReplayDepth",),
    "fees": (
        "DirectionalFees",
        "DirectionalQtyFees",
        "FeeModel",
        "FlatFees",
        "QtyFees",
        "TieredFees",
        "ValueFees",
    ),
    "funding": ("Funding",),
    "latencies": (
        "ConstantLatency",
        "InterpolatedLatency",
        "LatencyModel",
        "SampledLatency",
    ),
    "loop_compiled": ("Backtester",),
    "models": (
        "ExchangeModel",
        "FifoQueue",
        "LogQueue",
        "LogQueue2",
        "NoPartialFill",
        "PartialFill",
        "PowerQueue",
        "PowerQueue2",
        "PowerQueue3",
        "QueueModel",
        "RiskAverseQueue",
    ),
    "own": (
        "OwnExchange",
        "OwnFees",
        "OwnLatency",
        "OwnQueue",
    ),
    "replay_asset": ("ReplayAsset",),
}

__getattr__, __dir__ = lazily(__name__, _HOMES)
