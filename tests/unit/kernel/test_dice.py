from __future__ import annotations

from queuefront.kernel.dice import Dice


def test_a_seed_gives_the_same_choices_for_ever() -> None:
    dice = Dice(1, 2)
    assert [dice.bits() for _ in range(2)] == [Dice(1, 2).bits(), dice_second()]
    values = [Dice(7).below(10), Dice(7).between(3, 5), Dice(7).choice("abc")]
    assert values == [Dice(7).below(10), Dice(7).between(3, 5), Dice(7).choice("abc")]
    assert Dice(0).bits() == 12035550249420947055  # written down: another value is another history of every seed
    assert Dice().bits() == 16294208416658607535  # splitmix64's published first output for seed 0


def dice_second() -> int:
    dice = Dice(1, 2)
    dice.bits()
    return dice.bits()


def test_chances_come_about_as_often_as_they_say() -> None:
    dice = Dice(3)
    struck = sum(dice.one_in(10) for _ in range(10_000))
    assert 850 < struck < 1_150
