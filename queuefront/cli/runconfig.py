"""The records that a run configuration is read into; `runfile` reads them, docs/cli.md shows them."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec

__all__ = [
    "MODELS",
    "USUAL_KIND",
    "AssetConfig",
    "ConstantLatency",
    "FifoQueue",
    "FlatFees",
    "InterpolatedLatency",
    "LogQueue",
    "LogQueue2",
    "NoPartialFill",
    "PartialFill",
    "PowerQueue",
    "PowerQueue2",
    "PowerQueue3",
    "QtyFees",
    "RiskAverseQueue",
    "RunConfig",
    "RunSettings",
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


class InterpolatedLatency(_Strict, tag_field="kind", tag="interpolated"):
    """Latencies between measured ones, from .npz files of latency rows."""

    rounds: str | list[str]
    offset_ns: int = 0


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


class NoPartialFill(_Strict, tag_field="kind", tag="no-partial-fill"):
    """An order fills as a whole."""


class PartialFill(_Strict, tag_field="kind", tag="partial-fill"):
    """An order fills by what is there; `books_only_filled` books as hftbacktest does."""

    books_only_filled: bool = False


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


Latency: TypeAlias = ConstantLatency | InterpolatedLatency
Queue: TypeAlias = FifoQueue | RiskAverseQueue | PowerQueue | PowerQueue2 | PowerQueue3 | LogQueue | LogQueue2
Exchange: TypeAlias = NoPartialFill | PartialFill
Fees: TypeAlias = ValueFees | QtyFees | FlatFees


class AssetConfig(_Strict):
    """How one tape is traded; what is not given keeps the default of `queuefront.Asset`, or what the tape says."""

    latency: Latency | None = None
    queue: Queue | None = None
    exchange: Exchange | None = None
    fees: Fees | None = None
    tick_size: Decimals | None = None
    lot_size: Decimals | None = None
    contract: str | None = None
    multiplier: Decimals | None = None
    last_trades_capacity: NonNegative | None = None


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
    "latency": {"constant": ConstantLatency, "interpolated": InterpolatedLatency},
    "queue": {
        "fifo": FifoQueue,
        "risk-averse": RiskAverseQueue,
        "power": PowerQueue,
        "power2": PowerQueue2,
        "power3": PowerQueue3,
        "log": LogQueue,
        "log2": LogQueue2,
    },
    "exchange": {"no-partial-fill": NoPartialFill, "partial-fill": PartialFill},
    "fees": {"value": ValueFees, "qty": QtyFees, "flat": FlatFees},
}
USUAL_KIND: Final = {"latency": "constant", "fees": "value"}
