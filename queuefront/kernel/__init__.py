"""The execution kernel: slots, orders and money, exact, journaled, and killable at any instant."""

from queuefront.kernel.audit import audit, audit_chain
from queuefront.kernel.desk import Desk, cash_decimal, cash_units, config_of, spec_of
from queuefront.kernel.driver import Kernel, open_kernel
from queuefront.kernel.engine import Engine, replay
from queuefront.kernel.enums import (
    CancelState,
    CommandKind,
    Diagnostic,
    Health,
    LedgerKind,
    OrderStatus,
    PriceQuality,
    SettleAction,
    Stage,
    VenueOutcome,
)
from queuefront.kernel.errors import JournalDamagedError, JournalError, JournalLockedError, KernelClosedError
from queuefront.kernel.journal import MemoryJournal, SqliteJournal
from queuefront.kernel.notional import Amount, Ratio, ratio_of
from queuefront.kernel.outcome import KernelOutcome
from queuefront.kernel.records import (
    Alarm,
    Cancel,
    Config,
    Control,
    Enter,
    EventFailed,
    Exit,
    LedgerEntry,
    Limits,
    Mark,
    Modify,
    Publish,
    Reconcile,
    Recover,
    Settle,
    Spec,
    Tick,
    Transition,
)
from queuefront.kernel.state import Book, Order, Slot, State, initial_state
from queuefront.kernel.step import step
from queuefront.kernel.threads import ThreadedKernel

__all__ = [
    "Alarm",
    "Amount",
    "Book",
    "Cancel",
    "CancelState",
    "CommandKind",
    "Config",
    "Control",
    "Desk",
    "Diagnostic",
    "Engine",
    "Enter",
    "EventFailed",
    "Exit",
    "Health",
    "JournalDamagedError",
    "JournalError",
    "JournalLockedError",
    "Kernel",
    "KernelClosedError",
    "KernelOutcome",
    "LedgerEntry",
    "LedgerKind",
    "Limits",
    "Mark",
    "MemoryJournal",
    "Modify",
    "Order",
    "OrderStatus",
    "PriceQuality",
    "Publish",
    "Ratio",
    "Reconcile",
    "Recover",
    "Settle",
    "SettleAction",
    "Slot",
    "Spec",
    "SqliteJournal",
    "Stage",
    "State",
    "ThreadedKernel",
    "Tick",
    "Transition",
    "VenueOutcome",
    "audit",
    "audit_chain",
    "cash_decimal",
    "cash_units",
    "config_of",
    "initial_state",
    "open_kernel",
    "ratio_of",
    "replay",
    "spec_of",
    "step",
]
