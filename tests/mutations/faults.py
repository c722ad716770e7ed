"""Deliberate faults in the kernel, each a text that is replaced by another. `run.py` applies them one at a time."""

from __future__ import annotations

from typing import Final, NamedTuple


class Fault(NamedTuple):
    """One fault: what it stands for, the module, the text and what it becomes."""

    name: str
    module: str
    text: str
    instead: str


FAULTS: Final[tuple[Fault, ...]] = (
    Fault("an entry adds its cash", "account", "cash=-value, position=value)", "cash=value, position=value)"),
    Fault("a fee is received instead of paid", "account", "cash=-fee, fees=fee)\n    return", "cash=fee, fees=-fee)\n    return"),
    Fault("an exit releases all of the cost", "account", "slot.cost * fill.lots // slot.cost_lots", "slot.cost"),
    Fault("an inverse profit has the sign of a linear one", "notional", "return -round(spec.unit", "return round(spec.unit"),
    Fault("an inverse worst case is at the highest price", "notional", "min(tick for tick in ticks if tick > 0)", "max(ticks)"),
    Fault("an inverse share is rounded", "notional", "_ratio(amount.value * lots / all_lots)", "_ratio(Fraction(round(amount.value * lots / all_lots)))"),
    Fault("inverse roundings add up", "account", "gross = cash_value(spec, exits + rest - entry) * slot.side.sign",
          "gross = slot.realized_gross + cash_value(spec, 0 + left + held - entered) * slot.side.sign"),
    Fault("fills that are missing from a sum are not missed", "notional", "sum(lots for lots, _ in event.cum_fills) != event.cum_lots", "False"),
    Fault("orphans are adopted for nothing", "orphans", "share = _take(draft, command.instrument, command.lots * sign)", "share = 0"),
    Fault("drift can be adopted twice", "orphans", "        _shrink_drift(draft, command.instrument, command.lots * sign)\n", ""),
    Fault("a transient difference is adopted", "orphans", "if holding.blocked.startswith(\"drift\") else 0", ""),
    Fault("orphans that the venue holds are booked as gone", "orphans", "if lots > (gone := _drift(draft, command, -command.side.sign)):",
          "if (gone := 0):"),
    Fault("nobody signs for a settlement", "orphans", 'for field in ("intent_id", "author", "reason"):', 'for field in ("intent_id",):'),
    Fault("an adopted trade id is free again", "orphans", "    remember(draft, \"\", command.trade_id, slot.slot_id)\n", ""),
    Fault("opposite orphans pile up", "account", "if not held or not lots or (held > 0) is (signed_lots > 0):", "if True:"),
    Fault("exposure forgets the position", "account", "exposure = abs(slot.cost)", "exposure = 0"),
    Fault("exposure forgets open orders", "account", "exposure += worst_value(", "exposure += 0 * worst_value("),
    Fault("margin rounds down", "account", "margin = -(-exposure // slot.leverage)", "margin = exposure // slot.leverage"),
    Fault("a correction goes to the position alone", "account", "value * slot.cost_lots // slot.entry_priced_lots", "value"),
    Fault("capital forgets fees", "state", "self.equity + self.realized - self.fees", "self.equity + self.realized"),
    Fault("a price of zero is a price", "fills", "event.last_tick > 0:", "event.last_tick >= 0:"),
    Fault("a growth is the whole total", "events", "total - order.cum_lots\n", "total\n"),
    Fault("repeated ids are not known", "events", "event.event_id in order.seen and", "False and"),
    Fault("orphans count in the new trade", "events", "if slot.trade_id != order.trade_id:\n        apply_orphan", "if False:\n        apply_orphan"),
    Fault("an unknown submit is not asked about", "events",
          "    _advance_active(draft, order, event.kind)\n    ask_order(draft, order, draft.now + draft.config.first_query_ns)\n\n\ndef _cancel_unknown",
          "    _advance_active(draft, order, event.kind)\n\n\ndef _cancel_unknown"),
    Fault("an unknown cancel is a refused one", "events", "state = _CANCEL_UNKNOWN.get(event.reason_code, CancelState.UNKNOWN)",
          "state = CancelState.REFUSED"),
    Fault("one miss is an absence", "resolve", "and due.misses >= 1\n", "and due.misses >= 0\n"),
    Fault("misses need no time between", "resolve", "draft.now - due.missed_ns >= draft.config.miss_gap_ns", "True"),
    Fault("questions are asked once", "resolve", "is_sent=True, attempts=due.attempts + 1, due_ns=draft.now + backoff_ns(draft, due.attempts)", "is_sent=True, attempts=due.attempts + 1, due_ns=2**62"),
    Fault("questions come without pause", "resolve", "return min(draft.config.first_query_ns << min(attempts, 30), draft.config.last_query_ns)",
          "return 1"),
    Fault("the cost of a refused order stays", "fsm", "if to is Stage.IDLE:\n        return draft.put_slot(slot, stage=to, active_order=0)",
          "if to is Stage.IDLE:\n        return draft.put_slot(slot, stage=to)"),
    Fault("legs never advance", "fsm", "leg_index=slot.leg_index + 1", "leg_index=slot.leg_index"),
    Fault("an outlived exit order is forgotten", "fsm", "    request_cancel(draft, order)\n    return ask_order",
          "    return slot\n    return ask_order"),
    Fault("the last leg takes its ratio", "legs", "return index, remaining\n        numerator", "pass\n        numerator"),
    Fault("an exit may pass the position", "legs", "(remaining - lots) * numerator // denominator", "slot.initial_lots * numerator // denominator"),
    Fault("the notional limit is off by one order", "limits", "if exposure > limits.max_notional:\n        return D.LIMIT_NOTIONAL, f\"exposure would be {exposure:,}, the limit is {limits.max_notional:,} cash units\"\n    if capital",
          "if exposure - added > limits.max_notional:\n        return D.LIMIT_NOTIONAL, f\"exposure would be {exposure:,}, the limit is {limits.max_notional:,} cash units\"\n    if capital"),
    Fault("the order rate never fills", "limits", "draft.rate_ns = due_ns + gap_ns", "draft.rate_ns = 0"),
    Fault("a day never ends", "limits", "if day != draft.day:", "if False:"),
    Fault("a used trade id is free again", "commands", "elif command.trade_id in draft.trades:", "elif False:"),
    Fault("a repeated intent is carried out", "commands", "elif command.intent_id in draft.intents:", "elif False:"),
    Fault("client ids come round again", "commands", "cid=client_order_id(draft.config.lease, draft.seq),\n        slot_id=slot.slot_id,\n        trade_id=command.trade_id",
          "cid=client_order_id(draft.config.lease, draft.seq % 7 + 1),\n        slot_id=slot.slot_id,\n        trade_id=command.trade_id"),
    Fault("commands are taken during recovery", "commands", "    elif draft.recovering:\n", "    elif False:\n"),
    Fault("a halted kernel trades on", "commands", "    if draft.halted:\n", "    if False:\n"),
    Fault("quarantined slots trade on", "commands", "if slot.health is Health.QUARANTINED:", "if False:"),
    Fault("exits are not reduce-only", "commands", "reduce_only=command.reduce_only,", "reduce_only=False,"),
    Fault("recovery asks about nothing", "reconcile", "    ask_about(draft, sorted(draft.live))\n", ""),
    Fault("old snapshots are believed", "reconcile", "or snapshot.fetch_start_ts < draft.last_fill_ns", "or False"),
    Fault("positions are not compared", "reconcile", "if ours == theirs.get(name, 0):", "if True:"),
    Fault("parked events are dropped", "reconcile", "        apply(draft, first.event)\n", ""),
    Fault("funding is booked twice", "money_events", "if event.event_id in draft.account_events:\n        draft.count", "if False:\n        draft.count"),
    Fault("a liquidation keeps the position", "money_events", "size=slot.size - lots,", "size=slot.size,"),
    Fault("a breach does not halt", "step", "    if breach and not state.halted:\n        return _halt", "    if False:\n        return _halt"),
    Fault("time may run back", "state", "if ts > draft.now:", "if True:"),
    Fault("the journal is written after the step", "engine", "        self.journal.append(self.state.seq + 1, encode_input(entry))\n        try:",
          "        try:"),
    Fault("a refused group leaves its state", "engine", "            self.state = before\n", ""),
    Fault("failures are not journaled", "engine", "        self.journal.append(skipped.seq + 1, encode_input(failed))\n", ""),
    Fault("checksums do not chain", "journal", "hashlib.blake2b(before + seq", "hashlib.blake2b(seq"),
    Fault("rows are not verified", "journal", "if row.checksum != chain(before, row.seq, row.payload):", "if False:"),
    Fault("two processes may write", "journal", "fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass"),
    Fault("an empty reply is silence", "translate", "        events += failed(request, \"the reply says nothing of the order\", ts)\n", "        pass\n"),
    Fault("a closed kernel takes commands", "driver", "        if not self._is_open:\n            return closed_outcome", "        if False:\n            return closed_outcome"),
    Fault("a snapshot's age is the venue's word", "driver", "fetch_start_ts=started, ", ""),
)  # fmt: skip
