"""Each refusal of a run configuration says where, what, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.cli.refusal import nearest, show
from queuefront.cli.runfile import load_run_config
from queuefront.core import ConfigError

FILE = "FILE"  # stands for the file's path in the table

CASES: list[tuple[str, tuple[str, ...], str]] = [
    # unknown keys
    ("[rum]", (), "FILE: rum: unknown key; did you mean run?"),
    ("[run]\ninterval = 1", (), "FILE: run.interval: unknown key; choose one of sample_every_ns"),
    ("[asset]\nquee = 1", (), "FILE: asset.quee: unknown key; did you mean queue?"),
    ("[asset.latency]\nentry = 1", (), "FILE: asset.latency.entry: unknown key; did you mean entry_ns?"),
    ("[[asset]]\n[[asset]]\n[asset.fees]\nmakr = 1", (), "FILE: asset.1.fees.makr: unknown key; did you mean maker?"),
    ("", ("latency.entry=1",), "--set latency.entry=1: asset.latency.entry: unknown key; did you mean entry_ns?"),
    ("", ("queue=log", "queue.n=3"), "--set queue.n=3: asset.queue.n: unknown key; choose one of kind"),
    (
        "[[asset]]\n[[asset]]",
        ("asset.1.latency.entry=1",),
        "--set asset.1.latency.entry=1: asset.1.latency.entry: unknown key; did you mean entry_ns?",
    ),
    (
        "[[asset]]\n[[asset]]",
        ("latency.entry=1",),
        "--set latency.entry=1: asset.0.latency.entry: unknown key; did you mean entry_ns?",
    ),
    # missing keys
    (
        "[asset.latency]\nentry_ns = 1",
        (),
        "FILE: asset.latency lacks response_ns; add it, for example response_ns = 10_000_000",
    ),
    ("[asset]\nqueue = 'power'", (), "FILE: asset.queue lacks n; add it, for example n = 3.0"),
    (
        "[asset.queue]\nn = 3.0",
        (),
        "FILE: asset.queue lacks kind; choose one of fifo, risk-averse, power, power2, power3, log, log2, own",
    ),
    # kinds
    ("[asset]\nqueue = 'powr'", (), 'FILE: asset.queue.kind = "powr": no such kind; did you mean power?'),
    (
        "[asset.latency]\nkind = 'fast'",
        (),
        'FILE: asset.latency.kind = "fast": no such kind; choose one of constant, interpolated, sampled, own',
    ),
    # values
    (
        "[asset.latency]\nentry_ns = 1.5\nresponse_ns = 1",
        (),
        "FILE: asset.latency.entry_ns = 1.5: expected a whole number; write for example entry_ns = 10_000_000",
    ),
    (
        "[asset]\nlast_trades_capacity = -1",
        (),
        (
            "FILE: asset.last_trades_capacity = -1: expected a whole number >= 0; "
            "write for example last_trades_capacity = 1000"
        ),
    ),
    (
        "[run]\nsample_every_ns = 0",
        (),
        ("FILE: run.sample_every_ns = 0: expected a whole number >= 1; write for example sample_every_ns = 1_000_000_000"),
    ),
    (
        "[asset]\ntick_size = true",
        (),
        'FILE: asset.tick_size = true: expected a number or text; write for example tick_size = "0.1"',
    ),
    (
        "[asset]\nlatency = 3",
        (),
        'FILE: asset.latency = 3: expected a table; write for example latency = "constant", or [asset.latency]',
    ),
    (
        "[asset.latency]\nkind = 'sampled'",
        (),
        'FILE: asset.latency lacks rounds; add it, for example rounds = "latency.npz"',
    ),
    (
        "[asset.queue]\nkind = 'own'",
        (),
        'FILE: asset.queue lacks file; add it, for example file = "my_model.py"',
    ),
    (
        "[asset.fees]\nkind = 'tiered'",
        (),
        (
            "FILE: asset.fees lacks tiers; add it, for example "
            'tiers = [[0, "0.0002", "0.0005"], [1_000_000, "0.0001", "0.0004"]]'
        ),
    ),
    (
        "[asset.fees]\nkind = 'tiered'\ntiers = [[0, 1]]",
        (),
        (
            "FILE: asset.fees.tiers.0 = [0,1]: expected an array of length 3; write for example "
            'tiers = [[0, "0.0002", "0.0005"], [1_000_000, "0.0001", "0.0004"]]'
        ),
    ),
    (
        "[asset.latency]\nkind = 'sampled'\nrounds = 'a.npz'\nseed = -1",
        (),
        "FILE: asset.latency.seed = -1: expected a whole number >= 0; write for example seed = 1",
    ),
    (
        "[asset]\nfunding = 3",
        (),
        'FILE: asset.funding = 3: expected text; write for example funding = "funding.csv"',
    ),
    (
        "[asset]\nbalances = ['1']",
        (),
        ('FILE: asset.balances = ["1"]: expected an array of length 2; write for example balances = ["0.5", "30000"]'),
    ),
    (
        "[asset]\ndepth_range = 3",
        (),
        'FILE: asset.depth_range = 3: expected an array; write for example depth_range = ["50000", "70000"]',
    ),
    (
        "[asset.exchange]\nkind = 'partial-fill'\nhonest = 1",
        (),
        "FILE: asset.exchange.honest = 1: expected true or false; write for example honest = true",
    ),
    ("strategy = 3", (), "FILE: strategy = 3: expected a table; write for example [strategy]"),
    (
        "[strategy]\na = 1\nb = 'x'",
        (),
        'FILE: strategy.b = "x": expected true or false or a number; write for example b = 1.5',
    ),
    (
        "",
        ("strategy.a=fast",),
        '--set strategy.a=fast: strategy.a = "fast": expected true or false or a number; write for example a = 1.5',
    ),
]


@pytest.mark.parametrize(("text", "overrides", "message"), CASES)
def test_a_refusal_says_where_what_and_how_to_mend_it(
    tmp_path: Path, text: str, overrides: tuple[str, ...], message: str
) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_run_config(path, overrides)
    assert str(caught.value) == message.replace(FILE, str(path))


def test_the_nearest_name_is_named_and_otherwise_all() -> None:
    assert nearest("entry", ["entry_ns", "response_ns"]) == "did you mean entry_ns?"
    assert nearest("xyz", ["entry_ns", "response_ns"]) == "choose one of entry_ns, response_ns"


def test_values_are_shown_as_the_configuration_writes_them() -> None:
    assert [show(value) for value in (True, 1.5, "a", [1])] == ["true", "1.5", '"a"', "[1]"]
