from __future__ import annotations

import pytest

from queuefront.core import ConfigError
from queuefront.kernel import account
from queuefront.kernel.simulate import Totals, choose_faults, minimise, replay_command, run_seed, run_seeds, trace
from queuefront.kernel.world import FAULTS


def test_a_seed_is_the_same_run_each_time() -> None:
    faults = choose_faults("all")
    assert run_seed(3, 60, faults) == run_seed(3, 60, faults)
    assert run_seed(3, 60, faults) != run_seed(4, 60, faults)


def test_totals_count_every_seed() -> None:
    totals = Totals()
    for result in run_seeds(range(3), 20, choose_faults("all")):
        totals.add(result)
    assert (totals.seeds, totals.steps, totals.failed) == (3, 60, [])
    assert totals.inputs > 0
    assert sum(totals.faults.values()) > 0


def test_faults_are_chosen_by_name() -> None:
    assert choose_faults("all") == FAULTS.keys()
    assert choose_faults("none") == frozenset()
    assert choose_faults("ack-lost, push-lost") == {"ack-lost", "push-lost"}
    with pytest.raises(ConfigError, match=r"'rain' is no fault; choose all, none, or of ack-lost, "):
        choose_faults("rain")


def test_a_broken_kernel_is_found_shortened_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator can fail: with the sign of fees turned, the books part from the venue's."""
    good = account.post_fee

    def bad(draft, slot, event_id, kind, fee, currency, quality):  # type: ignore[no-untyped-def]
        return good(draft, slot, event_id, kind, -fee, currency, quality)

    monkeypatch.setattr(account, "post_fee", bad)
    faults = choose_faults("none")
    result = next(r for r in (run_seed(n, 40, faults) for n in range(50)) if r.violation)
    steps = minimise(result, faults)
    assert 0 < len(steps) < 20
    lines = trace(result.seed, steps, faults)
    assert "cash" in lines[-1] or "fee" in lines[-1]
    assert replay_command(result, "none") == f"qf kernel simulate --seeds 1 --seed {result.seed} --steps 40 --faults none"
