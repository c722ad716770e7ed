"""The queue and exchange models of a replayed exchange, as a user names them.

Rules and formulas stand with the compiled code and in docs/models.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from queuefront.core.enums import (
    EXCHANGE_NO_PARTIAL_FILL,
    EXCHANGE_PARTIAL_FILL,
    QUEUE_FIFO,
    QUEUE_LOG,
    QUEUE_LOG_2,
    QUEUE_POWER,
    QUEUE_POWER_2,
    QUEUE_POWER_3,
    QUEUE_RISK_AVERSE,
)
from queuefront.core.errors import ConfigError

__all__ = [
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
]

_EXPONENT_MAX: Final = 16.0


# --- queue --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RiskAverseQueue:
    """Cancels happen behind us: only trades, and a level smaller than what was ahead, bring us forward."""

    code: ClassVar[int] = QUEUE_RISK_AVERSE
    n: ClassVar[float] = 1.0


@dataclass(frozen=True, slots=True)
class _PowerQueue:
    n: float = 3.0

    def __post_init__(self) -> None:
        if not 0.0 < float(self.n) <= _EXPONENT_MAX:
            raise ConfigError(f"the exponent n of a power queue model is {self.n!r}; it must be above 0 and at most 16")


@dataclass(frozen=True, slots=True)
class PowerQueue(_PowerQueue):
    """A cancel is behind us with probability K^n / (K^n + F^n); F is ahead of us, K behind."""

    code: ClassVar[int] = QUEUE_POWER


@dataclass(frozen=True, slots=True)
class PowerQueue2(_PowerQueue):
    """A cancel is behind us with probability K^n / (K + F)^n; F is ahead of us, K behind."""

    code: ClassVar[int] = QUEUE_POWER_2


@dataclass(frozen=True, slots=True)
class PowerQueue3(_PowerQueue):
    """A cancel is behind us with probability 1 - (F / (F + K))^n; F is ahead of us, K behind."""

    code: ClassVar[int] = QUEUE_POWER_3


@dataclass(frozen=True, slots=True)
class LogQueue:
    """A cancel is behind us with probability ln(1+K) / (ln(1+K) + ln(1+F)); F is ahead of us, K behind."""

    code: ClassVar[int] = QUEUE_LOG
    n: ClassVar[float] = 1.0


@dataclass(frozen=True, slots=True)
class LogQueue2:
    """A cancel is behind us with probability ln(1+K) / ln(1+K+F); F is ahead of us, K behind."""

    code: ClassVar[int] = QUEUE_LOG_2
    n: ClassVar[float] = 1.0


@dataclass(frozen=True, slots=True)
class FifoQueue:
    """The queue as it was: for markets by order (L3), whose tape knows the place of every order.

    skips_improving : reproduce hftbacktest, where a fill at the market's best price passes over our orders that improve on
        it, and a deeper fill reaches them only while we have few orders.
    """

    skips_improving: bool = False
    code: ClassVar[int] = QUEUE_FIFO
    n: ClassVar[float] = 1.0


QueueModel = FifoQueue | RiskAverseQueue | PowerQueue | PowerQueue2 | PowerQueue3 | LogQueue | LogQueue2


# --- exchange -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoPartialFill:
    """Orders fill whole or not at all."""

    code: ClassVar[int] = EXCHANGE_NO_PARTIAL_FILL
    books_only_filled: ClassVar[bool] = False
    honest: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class PartialFill:
    """Orders fill by what trades beyond their queue, or by the levels they take.

    books_only_filled : reproduce hftbacktest, which answers several executions at once and books only those that end in
        FILLED.
    honest : no quantity is had twice: our orders use up what they take until the market sets the level again, share the
        trades that reach them, and queue behind one another.
    """

    books_only_filled: bool = False
    honest: bool = False
    code: ClassVar[int] = EXCHANGE_PARTIAL_FILL

    def __post_init__(self) -> None:
        if self.honest and self.books_only_filled:
            raise ConfigError("PartialFill cannot be honest and book only what is filled whole; choose one")


ExchangeModel = NoPartialFill | PartialFill
