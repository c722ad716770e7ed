from __future__ import annotations

from queuefront.kernel.actor import Actor
from queuefront.kernel.dice import Dice
from queuefront.kernel.world import World


def test_an_actor_repeats_itself_by_the_worlds_dice() -> None:
    def states() -> list[int]:
        world = World(5, frozenset())
        actor = Actor(world)
        seen = []
        for n in range(40):
            world.dice = Dice(9, n)
            actor.act()
            seen.append(world.engine.state.seq)
        return seen

    assert states() == states()


def test_intent_ids_are_never_used_twice() -> None:
    actor = Actor(World(5, frozenset()))
    assert len({actor.intent() for _ in range(50)}) == 50
