"""The replayed exchange: latency, queue, fee, contract and exchange models, and the event loop."""

from queuefront.sim import surface  # noqa: F401 - gives Backtester its methods
from queuefront.sim.asset import ReplayAsset
from queuefront.sim.build import (
    ASSET_COUNT_MAX,
    Asset,
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
