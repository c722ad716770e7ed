"""The process in which `qf backtest` runs the strategy.

Compiled code neither lets Python handle Ctrl-C nor lets a spinner turn. The command therefore starts this module in a
process of its own, waits, and can end it at any moment, also where the strategy never returns. The job comes as the one
argument; results go to the output folder, an error as one line to stderr with its exit code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from queuefront.cli.model_files import load_model, read_funding, sampled_latency
from queuefront.cli.runconfig import (
    MODELS,
    AssetConfig,
    OwnExchange,
    OwnFees,
    OwnLatency,
    OwnQueue,
    RunConfig,
    SampledLatency,
)
from queuefront.core import ConfigError, QueuefrontError, StrategyError

if TYPE_CHECKING:
    from queuefront import Asset, Backtest
    from queuefront.sweep import Session

__all__ = ["MESSAGE_MARK", "Job", "JobRecipe", "build_asset", "main", "run_job"]

#: Stands before the message of an error, and so tells it from warnings and from what libraries write to stderr.
MESSAGE_MARK = "\x1e"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What one backtest needs to know."""

    strategy: str
    function: str
    tapes: list[str]
    out: str
    config: RunConfig
    config_source: str  # how messages call the configuration


def run_job(job: Job) -> None:
    """Run the backtest and write its results into the output folder."""
    from queuefront.cli.strategy_file import bind_parameters, describe_failure, load_strategy

    strategy = load_strategy(Path(job.strategy), job.function)
    parameters = bind_parameters(strategy, job.config.strategy, job.config_source)
    backtest = _build_backtest(job)
    try:
        run = backtest.run(strategy, *parameters)
    except StrategyError as e:
        raise StrategyError(describe_failure(Path(job.strategy), e)) from e
    run.save(job.out)


@dataclass(frozen=True)
class JobRecipe:
    """A job as `queuefront.sweep` runs it: once with each parameter set."""

    job: Job

    def open(self) -> Session:
        """Load the strategy and map the tapes."""
        from queuefront.cli.strategy_file import bind_parameters, describe_failure, load_strategy
        from queuefront.sweep import Session, digest_of

        job, path = self.job, Path(self.job.strategy)
        strategy = load_strategy(path, job.function)

        def bind(parameters: Mapping[str, bool | int | float]) -> list[bool | int | float]:
            bind_parameters(strategy, parameters, "--grid")  # so that a refusal names the option
            return bind_parameters(strategy, {**job.config.strategy, **parameters}, job.config_source)

        def describe(error: StrategyError) -> str:
            return describe_failure(path, error)

        backtest = _build_backtest(job)
        return Session(strategy, bind, backtest, digest_of(strategy, path, backtest), describe)


def _build_backtest(job: Job) -> Backtest:
    import queuefront as qf

    configs = job.config.asset or [AssetConfig() for _ in job.tapes]
    assets = [build_asset(tape, config) for tape, config in zip(job.tapes, configs, strict=True)]
    settings = msgspec.structs.asdict(job.config.run)
    return qf.Backtest(assets, **{name: value for name, value in settings.items() if value is not None})


def build_asset(tape: str, config: AssetConfig) -> Asset:
    """Return the asset of one tape; what the configuration leaves out keeps the library's default."""
    import queuefront as qf
    from queuefront.feed import PassportThresholds

    values = {name: value for name, value in msgspec.structs.asdict(config).items() if value is not None}
    for name in MODELS:
        if name in values:
            values[name] = _model(values[name])
    if config.funding is not None:
        values["funding"] = read_funding(Path(config.funding))
    if config.passport is not None:
        values["passport"] = PassportThresholds.from_toml(config.passport)
    return qf.Asset(tape=tape, **values)


def _model(config: msgspec.Struct) -> Any:
    """Return the library's model that a table of the configuration stands for."""
    import queuefront as qf

    kind = getattr(qf, type(config).__name__)
    if isinstance(config, OwnLatency | OwnQueue | OwnExchange | OwnFees):
        return load_model(Path(config.file), config.name, kind)
    if isinstance(config, SampledLatency):
        rounds = [config.rounds] if isinstance(config.rounds, str) else config.rounds
        return sampled_latency([Path(path) for path in rounds], config.seed)
    return kind(**msgspec.structs.asdict(config))


def main() -> None:
    """Run the job of the command line."""
    job = msgspec.json.decode(sys.argv[1], type=Job)
    try:
        run_job(job)
    except QueuefrontError as e:
        if os.environ.get("QF_TRACEBACK"):
            raise
        _leave(str(e), e.exit_code)
    except OSError as e:
        _leave(f"{e.filename}: {(e.strerror or str(e)).lower()}", ConfigError.exit_code)


def _leave(message: str, exit_code: int) -> None:
    sys.stderr.write(f"{MESSAGE_MARK}{message}\n")
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
