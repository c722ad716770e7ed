"""What a simulated owner and a simulated market do: commands, fills, marks, and misfortunes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queuefront.kernel.enums import FREE_STAGES, SettleAction, Stage
from queuefront.kernel.records import Cancel, Enter, Exit, Mark, Modify, Reconcile, Settle
from queuefront.venues import Liquidity, MockFill, OpenOrder, OrderType, Side

if TYPE_CHECKING:
    from queuefront.kernel.world import World

__all__ = ["INVERSE", "NAMES", "Actor"]

SECOND: Final = 10**9
#: The price of whatever is traded by hand, so that its owner knows it when it is adopted.
HAND_TICK: Final = 100
#: More than all orders together: a position by hand must not pass for a fill that nobody told of.
HAND_LOTS: Final = 1_000
NAMES: Final = ("AAA", "BBB")
#: Those whose contracts are inverse.
INVERSE: Final = ("BBB",)


class Actor:
    """Chooses what happens next in a world, by the world's dice."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._intents = 0
        self._seen_snapshot = -1

    def act(self) -> None:
        """Do one thing."""
        dice = self.world.dice
        kind = dice.below(100)
        if self.world.strikes("disconnect"):
            self._disconnect()
        elif kind < 45:
            self._command()
        elif kind < 85:
            self._trade()
        else:
            self._misfortune()

    def _disconnect(self) -> None:
        self.world.is_connected = not self.world.is_connected
        if self.world.is_connected:
            self.world.apply(Reconcile(ts=self.world.clock(), intent_id=self.intent(), reason="reconnect"))

    def intent(self) -> str:
        """Return an intent id that was never used."""
        self._intents += 1
        return f"i{self.world.incarnation}.{self._intents}"

    def _command(self) -> None:
        dice, state = self.world.dice, self.world.engine.state
        slot = state.slots[dice.below(len(state.slots))]
        orphans = [name for name in NAMES if name in state.holdings and state.holdings[name].orphan_lots]
        kind = dice.below(10)
        if orphans and dice.one_in(3):
            self._settle(slot.slot_id, dice.choice(orphans))
        elif any(holding.drift_lots for holding in state.holdings.values()) and dice.one_in(4):
            self.settle_drift()
        elif slot.stage in FREE_STAGES or kind == 0:
            self._enter(slot.slot_id)
        elif slot.stage is Stage.POSITION_OPEN or kind == 1:
            self._exit(slot.slot_id)
        elif kind < 5:
            self.world.apply(Cancel(ts=self.world.clock(), intent_id=self.intent(), slot_id=slot.slot_id))
        elif kind < 8:
            lots, tick = dice.between(2, 60), dice.between(90, 110)
            self.world.apply(
                Modify(
                    ts=self.world.clock(),
                    intent_id=self.intent(),
                    slot_id=slot.slot_id,
                    reference_tick=100,
                    lots=lots,
                    limit_tick=tick,
                )
            )
        else:
            self.world.apply(Reconcile(ts=self.world.clock(), intent_id=self.intent()))

    def settle_drift(self) -> None:
        """Adopt what was traded by hand; where no slot is free, trade it back by hand. Once for each look at the venue."""
        state = self.world.engine.state
        if state.last_snapshot == self._seen_snapshot:
            return
        for name in NAMES:
            holding = state.holdings.get(name)
            if holding is None or not holding.blocked.startswith("drift") or not holding.drift_lots:
                continue
            if holding.drift_lots % HAND_LOTS:
                # That is not what was done by hand, or not that alone: a fill of ours is on its way.
                continue
            lots = holding.drift_lots
            side = Side.LONG if lots > 0 else Side.SHORT
            free = [i for i in range(len(state.slots)) if state.slots[i].is_free]
            if free:
                self._seen_snapshot = state.last_snapshot
                self._send(SettleAction.ADOPT, name, side, abs(lots), free[0], HAND_TICK)
                return
            self._seen_snapshot = state.last_snapshot
            self.world.note(f"owner trades {lots} of {name} back")
            self.world.venue.trade_by_hand(name, Side.SHORT if lots > 0 else Side.LONG, abs(lots), HAND_TICK)

    def _settle(self, slot_id: int, name: str) -> None:
        """Adopt orphans, or close them."""
        dice, lots = self.world.dice, self.world.engine.state.holdings[name].orphan_lots
        free = [i for i in range(3) if self.world.engine.state.slots[i].is_free]
        side = Side.LONG if lots > 0 else Side.SHORT
        action = dice.choice((SettleAction.ADOPT, SettleAction.CLOSE))
        self._send(action, name, side, dice.between(1, abs(lots)), free[0] if free else slot_id, 0)

    def _send(self, action: SettleAction, name: str, side: Side, lots: int, slot_id: int, tick: int) -> None:
        intent = self.intent()
        self.world.apply(
            Settle(
                ts=self.world.clock(),
                intent_id=intent,
                author="owner",
                reason="simulated",
                action=action,
                instrument=name,
                side=side,
                lots=lots,
                tick=tick,
                slot_id=slot_id,
                trade_id=f"t{intent}",
                reference_tick=100,
            )
        )

    def _enter(self, slot_id: int) -> None:
        dice = self.world.dice
        is_limit = dice.below(2)
        legs = ((1, 1),) if dice.one_in(2) else tuple((dice.between(1, 4), 4) for _ in range(dice.between(1, 3)))
        intent = self.intent()
        self.world.apply(
            Enter(
                ts=self.world.clock(),
                intent_id=intent,
                trade_id=f"t{intent}",
                slot_id=slot_id,
                instrument=dice.choice(NAMES),
                side=Side.LONG if dice.below(2) else Side.SHORT,
                lots=dice.between(2, 40),
                reference_tick=100,
                leverage=dice.between(1, 5),
                order_type=OrderType.LIMIT if is_limit else OrderType.MARKET,
                limit_tick=dice.between(90, 110) if is_limit else 0,
                exit_legs=legs,
                decision_id=f"d{intent}",
            )
        )

    def _exit(self, slot_id: int) -> None:
        dice = self.world.dice
        is_limit = dice.below(2)
        self.world.apply(
            Exit(
                ts=self.world.clock(),
                intent_id=self.intent(),
                slot_id=slot_id,
                reference_tick=100,
                lots=dice.between(2, 30) if dice.one_in(5) else None,
                order_type=OrderType.LIMIT if is_limit else OrderType.MARKET,
                limit_tick=dice.between(90, 110) if is_limit else 0,
            )
        )

    def _trade(self) -> None:
        """Fill a part of a live order, or move the mark."""
        dice = self.world.dice
        live = [order for order in self.world.venue.orders.values() if order.is_live]
        if not live or dice.one_in(6):
            self.world.apply(Mark(ts=self.world.clock(), instrument=dice.choice(NAMES), tick=dice.between(0, 120)))
            return
        order = dice.choice(live)
        left = order.lots - order.cum_lots
        lots = left if dice.one_in(2) else dice.between(1, left)
        late = dice.between(1, 5) * SECOND if self.world.strikes("fee-late") else None
        liquidity = dice.choice((Liquidity.MAKER, Liquidity.TAKER))
        self.world.note(f"venue fills {lots} of {order.request.cid}")
        self.world.venue.fill(
            order.request.cid, MockFill(lots, dice.between(90, 110), late_fee_ns=late, liquidity=liquidity)
        )
        self.world.push()

    def _misfortune(self) -> None:
        dice, venue = self.world.dice, self.world.venue
        live = [order for order in venue.orders.values() if order.is_live]
        if self.world.strikes("funding"):
            venue.pay_funding(dice.choice(NAMES), dice.between(-10_000, 10_000))
        if self.world.strikes("hand-trade"):
            side = dice.choice((Side.LONG, Side.SHORT))
            venue.trade_by_hand(dice.choice(NAMES), side, dice.between(1, 5) * HAND_LOTS, HAND_TICK)
        if live and self.world.strikes("expired"):
            venue.expire(dice.choice(live).request.cid)
        if self.world.strikes("foreign-order"):
            venue.foreign.append(OpenOrder(f"web-{dice.below(1000)}", f"F{dice.below(1000)}", dice.choice(NAMES), 0))
        held = sorted((key for key, lots in venue.positions.items() if lots > 0), key=str)
        if held and self.world.strikes("liquidation"):
            name, side = dice.choice(held)
            lots = dice.between(1, venue.positions[name, side])
            self.world.note(f"venue liquidates {lots} of {name} {side.name}")
            venue.liquidate(name, side, lots, dice.between(80, 120), fee=dice.between(0, 1000))
        self.world.push()
