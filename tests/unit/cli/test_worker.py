"""The process that runs a strategy: a job in, results in a folder out, errors marked."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest

import queuefront as qf
from queuefront.cli.runconfig import (
    AssetConfig,
    ConstantLatency,
    DirectionalFees,
    DirectionalQtyFees,
    FlatFees,
    InterpolatedLatency,
    LogQueue,
    OwnFees,
    OwnQueue,
    PartialFill,
    PowerQueue2,
    RunConfig,
    RunSettings,
    SampledLatency,
    TieredFees,
)
from queuefront.cli.worker import MESSAGE_MARK, Job, JobRecipe, build_asset, main, run_job
from queuefront.core import LATENCY, ConfigError
from queuefront.feed import PassportThresholds
from tests.unit.cli.runs import market


@pytest.fixture(autouse=True)
def _keep_search_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


def job(folder: Path, **changes: object) -> Job:
    (folder / "mine.py").write_text("def strategy(hbt, wakes=2):\n    for _ in range(wakes):\n        hbt.elapse(10**9)\n")
    fields = {
        "strategy": str(folder / "mine.py"),
        "function": "strategy",
        "tapes": [str(market(folder))],
        "out": str(folder / "out"),
        "config": RunConfig(run=RunSettings(sample_every_ns=10**9)),
        "config_source": "run.toml",
    }
    return Job(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_job_survives_its_way_to_the_process(tmp_path: Path) -> None:
    config = RunConfig(strategy={"a": 1, "b": 0.5, "c": True}, asset=[AssetConfig(queue=LogQueue(), tick_size="0.1")])
    one = job(tmp_path, config=config)
    assert msgspec.json.decode(msgspec.json.encode(one), type=Job) == one


@pytest.mark.slow
def test_a_job_leaves_its_results_in_the_folder(tmp_path: Path) -> None:
    run_job(job(tmp_path))
    assert (tmp_path / "out" / "summary.json").is_file()


def test_what_the_configuration_leaves_out_keeps_the_librarys_default() -> None:
    assert build_asset("x.tape", AssetConfig()) == qf.Asset(tape="x.tape")


def test_every_model_becomes_the_librarys() -> None:
    config = AssetConfig(
        latency=ConstantLatency(entry_ns=1, response_ns=2),
        queue=PowerQueue2(n=2.0),
        exchange=PartialFill(),
        fees=FlatFees(maker=0, taker="1.5"),
        multiplier="10",
        last_trades_capacity=5,
    )
    assert build_asset("x.tape", config) == qf.Asset(
        tape="x.tape",
        latency=qf.ConstantLatency(entry_ns=1, response_ns=2),
        queue=qf.PowerQueue2(2.0),
        exchange=qf.PartialFill(),
        fees=qf.FlatFees(maker=0, taker="1.5"),
        multiplier="10",
        last_trades_capacity=5,
    )


def test_measured_latencies_are_read_from_their_files(tmp_path: Path) -> None:
    rows = np.zeros(1, LATENCY)
    rows["req_ts"], rows["exch_ts"], rows["resp_ts"] = 100, 110, 130
    np.savez(tmp_path / "latency.npz", data=rows)
    config = AssetConfig(latency=InterpolatedLatency(rounds=[str(tmp_path / "latency.npz")], offset_ns=5))
    latency = build_asset("x.tape", config).latency
    assert isinstance(latency, qf.InterpolatedLatency)
    assert latency.rows[["exch_ts", "resp_ts"]].tolist() == [(115, 140)]


def test_models_from_files_become_the_librarys(tmp_path: Path) -> None:
    rows = np.zeros(1, LATENCY)
    rows["req_ts"], rows["exch_ts"], rows["resp_ts"] = 100, 110, 130
    np.savez(tmp_path / "latency.npz", data=rows)
    (tmp_path / "funding.csv").write_text("funding_ts,mark_price,rate\n100,5.5,0.01\n")
    (tmp_path / "mine.py").write_text("from queuefront import OwnFees\nmine = OwnFees(lambda *a: 0.0, params=[1.5])\n")
    config = AssetConfig(
        latency=SampledLatency(rounds=str(tmp_path / "latency.npz"), seed=4),
        fees=OwnFees(file=str(tmp_path / "mine.py"), name="mine"),
        exchange=PartialFill(honest=True),
        funding=str(tmp_path / "funding.csv"),
        balances=("1", 2),
        depth_range=("50000.5", 70000),
    )
    asset = build_asset("x.tape", config)
    assert isinstance(asset.latency, qf.SampledLatency)
    assert (list(asset.latency.entry_ns), list(asset.latency.response_ns), asset.latency.seed) == ([10], [20], 4)
    assert isinstance(asset.fees, qf.OwnFees)
    assert asset.fees.params == [1.5]
    assert asset.exchange == qf.PartialFill(honest=True)
    assert list(asset.funding) == [qf.Funding(100, Decimal("5.5"), Decimal("0.01"))]
    assert asset.balances == ("1", 2)
    assert asset.depth_range == ("50000.5", 70000)


def test_a_configuration_of_every_kind_survives_its_way_to_the_process(tmp_path: Path) -> None:
    assets = [
        AssetConfig(fees=TieredFees(tiers=[(0, "0.0002", "0.0005"), (100, 0, 0)]), latency=ConstantLatency(1, 2, 3, 4)),
        AssetConfig(fees=DirectionalFees(0, 0, seller="0.001"), queue=OwnQueue(file="a.py"), balances=(1, "2")),
        AssetConfig(fees=DirectionalQtyFees(0, "0.2", buyer="0.001")),
    ]
    one = job(tmp_path, config=RunConfig(asset=assets))
    assert msgspec.json.decode(msgspec.json.encode(one), type=Job) == one
    fees = [build_asset("x.tape", AssetConfig(fees=asset.fees)).fees for asset in assets]
    assert fees == [
        qf.TieredFees([(0, "0.0002", "0.0005"), (100, 0, 0)]),
        qf.DirectionalFees(0, 0, seller="0.001"),
        qf.DirectionalQtyFees(0, "0.2", buyer="0.001"),
    ]


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"function": "other"}, 3, "{path} has no function 'other'; name one with --function: strategy"),
        ({"strategy": "/nowhere/mine.py"}, 2, "/nowhere/mine.py: no such file or directory"),
        ({"config": RunConfig(strategy={"x": 1})}, 2, "run.toml: strategy.x: no such parameter; choose one of wakes"),
    ],
)
def test_an_error_is_marked_and_has_its_exit_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    code: int,
    message: str,
) -> None:
    text = msgspec.json.encode(job(tmp_path, **changes)).decode()
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["worker", text])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == code
    assert capsys.readouterr().err == f"{MESSAGE_MARK}{message.format(path=tmp_path / 'mine.py')}\n"


def test_the_traceback_is_kept_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QF_TRACEBACK", "1")
    monkeypatch.setattr(sys, "argv", ["worker", msgspec.json.encode(job(tmp_path, function="other")).decode()])
    with pytest.raises(qf.QueuefrontError):
        main()


def test_a_job_is_a_recipe_whose_sets_go_before_the_configuration(tmp_path: Path) -> None:
    session = JobRecipe(job(tmp_path, config=RunConfig(strategy={"wakes": 5}))).open()
    assert (session.bind({}), session.bind({"wakes": 3})) == ([5], [3])
    with pytest.raises(ConfigError) as caught:
        session.bind({"wake": 1})
    assert str(caught.value) == "--grid: strategy.wake: no such parameter; did you mean wakes?"


def test_an_asset_is_masked_by_limits_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text("silence_bad_ms = 5\nsilence_bad_multiple = 0\n")
    config = AssetConfig(mask_bad_spans=True, passport=str(tmp_path / "limits.toml"))
    asset = build_asset(str(market(tmp_path)), config)
    assert asset.passport == PassportThresholds(silence_bad_ms=5, silence_bad_multiple=0)
    assert asset.load().is_masked
