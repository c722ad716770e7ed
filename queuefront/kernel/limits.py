"""What must hold before an order leaves; each limit has its own diagnostic. Arithmetic on totals: no slot is walked."""

from __future__ import annotations

from queuefront.kernel.codes import D
from queuefront.kernel.enums import Diagnostic
from queuefront.kernel.state import Draft

__all__ = ["check_entry", "check_modify", "check_price", "day_loss", "roll_day", "take_rate"]

PPM = 1_000_000
DAY_NS = 86_400 * 10**9

Refusal = tuple[Diagnostic, str]


def check_entry(draft: Draft, added: int, leverage: int) -> Refusal | None:
    """Check what one more entry order of worst-case notional `added` would make of the totals."""
    limits, capital = draft.limits, draft.books[draft.config.currency].capital
    exposure = draft.exposure + added
    margin = draft.margin - (-added // leverage)
    loss = day_loss(draft)
    if exposure > limits.max_notional:
        return D.LIMIT_NOTIONAL, f"exposure would be {exposure:,}, the limit is {limits.max_notional:,} cash units"
    if capital <= 0 or margin > capital + min(draft.unrealized, 0):
        return D.LIMIT_MARGIN, f"margin would be {margin:,} of {capital:,} cash units of capital"
    if exposure > limits.max_leverage * capital:
        return D.LIMIT_LEVERAGE, f"exposure would be {exposure:,}, above {limits.max_leverage} × {capital:,} cash units"
    if draft.open_orders >= limits.max_open_orders:
        return D.LIMIT_OPEN_ORDERS, f"{draft.open_orders:,} orders are open, the limit is {limits.max_open_orders:,}"
    if loss >= limits.max_daily_loss:
        return D.LIMIT_DAILY_LOSS, f"today's loss is {loss:,}, the limit is {limits.max_daily_loss:,} cash units"
    return take_rate(draft)


def check_modify(draft: Draft, added: int, leverage: int) -> Refusal | None:
    """Check a change of an entry order that adds `added` to the worst case; the order itself is open already."""
    limits, capital = draft.limits, draft.books[draft.config.currency].capital
    exposure = draft.exposure + added
    if added > 0:
        if exposure > limits.max_notional:
            return D.LIMIT_NOTIONAL, f"exposure would be {exposure:,}, the limit is {limits.max_notional:,} cash units"
        if draft.margin - (-added // leverage) > capital + min(draft.unrealized, 0):
            return D.LIMIT_MARGIN, f"margin would not fit into {capital:,} cash units of capital"
        if exposure > limits.max_leverage * capital:
            return D.LIMIT_LEVERAGE, f"exposure would be {exposure:,}, above {limits.max_leverage} × {capital:,} cash units"
    return take_rate(draft)


def check_price(draft: Draft, instrument: str, limit_tick: int, reference_tick: int) -> Refusal | None:
    """Check how far a price is from its reference, and the reference from the mark where there is one."""
    allowed = draft.limits.max_price_distance_ppm
    if limit_tick and abs(limit_tick - reference_tick) * PPM > allowed * reference_tick:
        return D.LIMIT_PRICE_DISTANCE, f"limit {limit_tick:,} is too far from the reference {reference_tick:,} ticks"
    mark = draft.holding(instrument).mark_tick
    if mark > 0 and abs(reference_tick - mark) * PPM > allowed * mark:
        return D.LIMIT_PRICE_DISTANCE, f"reference {reference_tick:,} is too far from the mark {mark:,} ticks"
    return None


def take_rate(draft: Draft, *, is_forced: bool = False) -> Refusal | None:
    """Take one order from the rate `max_orders` per window, or say that none is left.

    A window that refills evenly (GCRA): one number instead of a list of times, so that the check costs the same at any
    rate. Exits and cancels are counted and never refused: the way out stays open.
    """
    limits = draft.limits
    gap_ns = -(-limits.order_window_ns // limits.max_orders)
    due_ns = max(draft.rate_ns, draft.now)
    if not is_forced and due_ns - draft.now > limits.order_window_ns - gap_ns:
        return D.LIMIT_ORDER_RATE, f"{limits.max_orders:,} orders in {limits.order_window_ns:,} ns are spent"
    draft.rate_ns = due_ns + gap_ns
    return None


def roll_day(draft: Draft) -> None:
    """Begin a new day of losses at midnight UTC."""
    day = draft.now // DAY_NS
    if day != draft.day:
        draft.day = day
        draft.day_capital = draft.books[draft.config.currency].capital + draft.unrealized


def day_loss(draft: Draft) -> int:
    """Return what was lost today, realized and not; negative for a gain."""
    return draft.day_capital - draft.books[draft.config.currency].capital - draft.unrealized
