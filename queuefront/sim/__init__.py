"""The replayed exchange: latency, queue, fee, contract and exchange models, and the event loop."""

from queuefront.sim import surface  # noqa: F401 - gives Backtester its methods
from queuefront.sim.asset import ReplayAsset
from queuefront.sim.build import ASSET_COUNT_MAX, Asset, AssetResult, build_backtester, read_error_code, read_results
from queuefront.sim.depth import ReplayDepth
from queuefront.sim.loop_compiled import Backtester
from queuefront.sim.models import (
    ConstantLatency,
    ExchangeModel,
    FeeModel,
    FlatFees,
    InterpolatedLatency,
    LatencyModel,
    LogQueue,
    LogQueue2,
    NoPartialFill,
    PartialFill,
    PowerQueue,
    PowerQueue2,
    PowerQueue3,
    QtyFees,
    QueueModel,
    RiskAverseQueue,
    ValueFees,
)

__all__ = [
    "ASSET_COUNT_MAX",
    "Asset",
    "AssetResult",
    "Backtester",
    "ConstantLatency",
    "ExchangeModel",
    "FeeModel",
    "FlatFees",
    "InterpolatedLatency",
    "LatencyModel",
    "LogQueue",
    "LogQueue2",
    "NoPartialFill",
    "PartialFill",
    "PowerQueue",
    "PowerQueue2",
    "PowerQueue3",
    "QtyFees",
    "QueueModel",
    "ReplayAsset",
    "ReplayDepth",
    "RiskAverseQueue",
    "ValueFees",
    "build_backtester",
    "read_error_code",
    "read_results",
]
