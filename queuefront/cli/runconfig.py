"""The records that a run configuration is read into; `runfile` reads them, docs/cli.md shows them."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec

__all__ = [
    "MODELS",
    "USUAL_KIND",
    "AssetConfig",
    "ConstantLatency",
    "DirectionalFees",
    "DirectionalQtyFees",
    "FifoQueue",
    "FlatFees",
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
    "RiskAverseQueue",
    "RunConfig",
    "RunSettings",
    "SampledLatency",
    "TieredFees",
    "ValueFees",
]

Parameter: TypeAlias = bool | int | float
Decimals: TypeAlias = str | int | float  # a decimal number; text keeps what a float would round
NonNegative = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(gt=0)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A table whose keys are all known."""


class ConstantLatency(_Strict, tag_field="kind", tag="constant"):
    """The same latency for every request and response; a negative entry means that the request is refused on the way."""

    entry_ns: int
    response_ns: int
    cancel_ns: int | None = None
    modify_ns: int | None = None


class InterpolatedLatency(_Strict, tag_field="kind", tag="interpolated"):
    """Latencies between measured ones, from .npz files of latency rows."""

    rounds: str | list[str]
    offset_ns: int = 0


class SampledLatency(_Strict, tag_field="kind", tag="sampled"):
    """Latencies drawn from measured ones, from .npz or .parquet files of latency rows."""

    rounds: str | list[str]
    seed: NonNegative = 0


class _Own(_Strict):
    """A model of one's own: the object `name` of a Python file."""

    file: str
    name: str = "model"


class OwnLatency(_Own, tag_field="kind", tag="own"):
    """A latency model of one's own."""


class FifoQueue(_Strict, tag_field="kind", tag="fifo"):
    """The queue as it was, for markets by order."""


class RiskAverseQueue(_Strict, tag_field="kind", tag="risk-averse"):
    """Only trades at our price advance us."""


class PowerQueue(_Strict, tag_field="kind", tag="power"):
    """Cancels ahead of us are estimated by K^n / (K^n + F^n)."""

    n: float


class PowerQueue2(_Strict, tag_field="kind", tag="power2"):
    """Cancels ahead of us are estimated by K^n / (K + F)^n."""

    n: float


class PowerQueue3(_Strict, tag_field="kind", tag="power3"):
    """Cancels ahead of us are estimated by 1 - (F / (F + K))^n."""

    n: float


class LogQueue(_Strict, tag_field="kind", tag="log"):
    """Cancels ahead of us are estimated by ln(1+K) / (ln(1+K) + ln(1+F))."""


class LogQueue2(_Strict, tag_field="kind", tag="log2"):
    """Cancels ahead of us are estimated by ln(1+K) / ln(1+K+F)."""


class OwnQueue(_Own, tag_field="kind", tag="own"):
    """A queue model of one's own."""


class NoPartialFill(_Strict, tag_field="kind", tag="no-partial-fill"):
    """An order fills as a whole."""


class PartialFill(_Strict, tag_field="kind", tag="partial-fill"):
    """An order fills by what is there; `books_only_filled` books as hftbacktest does, `honest` counts what we take."""

    books_only_filled: bool = False
    honest: bool = False


class OwnExchange(_Own, tag_field="kind", tag="own"):
    """An exchange model of one's own."""


class ValueFees(_Strict, tag_field="kind", tag="value"):
    """A rate of the traded value."""

    maker: Decimals
    taker: Decimals


class QtyFees(_Strict, tag_field="kind", tag="qty"):
    """A rate of the traded quantity."""

    maker: Decimals
    taker: Decimals


class FlatFees(_Strict, tag_field="kind", tag="flat"):
    """An amount for each fill."""

    maker: Decimals
    taker: Decimals


class DirectionalFees(_Strict, tag_field="kind", tag="directional"):
    """A rate of the traded value, to which buyers and sellers add one of their own."""

    maker: Decimals
    taker: Decimals
    buyer: Decimals = 0
    seller: Decimals = 0


class DirectionalQtyFees(_Strict, tag_field="kind", tag="directional-qty"):
    """A rate of the traded quantity, to which buyers and sellers add one of the traded value."""

    maker: Decimals
    taker: Decimals
    buyer: Decimals = 0
    seller: Decimals = 0


class TieredFees(_Strict, tag_field="kind", tag="tiered"):
    """A rate of the traded value that depends on the value traded so far: [value, maker, taker] rows."""

    tiers: list[tuple[Decimals, Decimals, Decimals]]


class OwnFees(_Own, tag_field="kind", tag="own"):
    """A fee model of one's own."""


Latency: TypeAlias = ConstantLatency | InterpolatedLatency | SampledLatency | OwnLatency
Queue: TypeAlias = FifoQueue | RiskAverseQueue | PowerQueue | PowerQueue2 | PowerQueue3 | LogQueue | LogQueue2 | OwnQueue
Exchange: TypeAlias = NoPartialFill | PartialFill | OwnExchange
Fees: TypeAlias = ValueFees | QtyFees | FlatFees | DirectionalFees | DirectionalQtyFees | TieredFees | OwnFees


class AssetConfig(_Strict):
    """How one tape is traded; what is not given keeps the default of `queuefront.Asset`, or what the tape says."""

    latency: Latency | None = None
    queue: Queue | None = None
    exchange: Exchange | None = None
    fees: Fees | None = None
    funding: str | None = None  # a file of payments
    balances: tuple[Decimals, Decimals] | None = None  # of base and quote currency
    tick_size: Decimals | None = None
    lot_size: Decimals | None = None
    contract: str | None = None
    multiplier: Decimals | None = None
    last_trades_capacity: NonNegative | None = None
    depth_range: tuple[Decimals, Decimals] | None = None  # lowest and highest price that the books hold
    mask_bad_spans: bool | None = None  # fill nothing where the tape's passport calls the data bad
    passport: str | None = None  # a file of limits of the passport


class RunSettings(_Strict):
    """How the run is recorded."""

    sample_every_ns: Positive | None = None


class RunConfig(_Strict):
    """One run: the strategy's parameters, one table an asset, and how to record."""

    strategy: dict[str, Parameter] = {}
    asset: list[AssetConfig] = []
    run: RunSettings = msgspec.field(default_factory=RunSettings)


#: The kinds of each model, and which one is meant where the file leaves `kind` out.
MODELS: Final[dict[str, dict[str, type[msgspec.Struct]]]] = {
    "latency": {
        "constant": ConstantLatency,
        "interpolated": InterpolatedLatency,
        "sampled": SampledLatency,
        "own": OwnLatency,
    },
    "queue": {
        "fifo": FifoQueue,
        "risk-averse": RiskAverseQueue,
        "power": PowerQueue,
        "power2": PowerQueue2,
        "power3": PowerQueue3,
        "log": LogQueue,
        "log2": LogQueue2,
        "own": OwnQueue,
    },
    "exchange": {"no-partial-fill": NoPartialFill, "partial-fill": PartialFill, "own": OwnExchange},
    "fees": {
        "value": ValueFees,
        "qty": QtyFees,
        "flat": FlatFees,
        "directional": DirectionalFees,
        "directional-qty": DirectionalQtyFees,
        "tiered": TieredFees,
        "own": OwnFees,
    },
}
USUAL_KIND: Final = {"latency": "constant", "fees": "value"}
