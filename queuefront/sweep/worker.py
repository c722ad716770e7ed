"""The process in which parameter sets run: several at once, where the strategy needs no Python while it runs.

It reads pickled messages from stdin and answers on what was stdout: first an `Order`, answered by an `Opened`; then the
numbers of sets, each answered by itself and a `SetResult`, when that is there. What strategies print goes to stderr.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from queuefront.core import QueuefrontError, StrategyError
from queuefront.sweep.grid import Scalar
from queuefront.sweep.recipe import Recipe, Session
from queuefront.sweep.result import SetResult, identity_of, write_result

__all__ = ["Opened", "Order", "main", "run_set", "serve"]


@dataclass(frozen=True)
class Order:
    """What a worker is to run, and how many sets at once."""

    recipe: Recipe
    sets: Sequence[Mapping[str, Scalar]]
    folder: Path
    threads: int = 1


@dataclass(frozen=True)
class Opened:
    """A worker is ready: the identity of every set, and how many it runs at once; or it refuses, and says why."""

    identities: Sequence[str] = ()
    threads: int = 1
    refusal: QueuefrontError | OSError | None = None


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until they end."""
    from queuefront.core.code_cache import release_gil

    lock = threading.Lock()

    def answer(message: object) -> None:
        with lock:
            pickle.dump(message, answers)
            answers.flush()

    try:
        order: Order = pickle.load(requests)  # noqa: S301 - from the process that started this one
    except EOFError:  # there was less to do than workers
        return
    try:
        session = order.recipe.open()
        # Released for one thread, too: all workers then load the machine code that the first one wrote.
        threads = order.threads if release_gil(session.strategy) else 1
        arguments = [session.bind(parameters) for parameters in order.sets]
        _compile(session, arguments)
        session.backtest.passports  # noqa: B018 - read once, and not by every thread
    except (QueuefrontError, OSError) as e:
        answer(Opened(refusal=e))
        return
    identities = [identity_of(session.digest, values) for values in arguments]
    answer(Opened(identities, threads))
    threading.Thread(target=_load_tables, daemon=True).start()

    def run(i: int) -> None:
        answer((i, run_set(session, arguments[i], order.folder, identities[i], order.sets[i])))

    with ThreadPoolExecutor(threads) as pool:
        while True:
            try:
                i: int = pickle.load(requests)  # noqa: S301 - as above
            except EOFError:
                return
            pool.submit(run, i).add_done_callback(_end_if_failed)


def _load_tables() -> None:
    """Import what results are written with while the first sets run, as those need no Python."""
    import polars as pl  # noqa: F401

    import queuefront.report  # noqa: F401


def _end_if_failed(future: Future[None]) -> None:
    """End the process for what is no set's failure: who started it waits for an answer that a thread will not give."""
    failure = future.exception()
    if failure is not None:
        traceback.print_exception(failure)
        os._exit(1)


def run_set(
    session: Session, arguments: Sequence[Scalar], folder: Path, identity: str, parameters: Mapping[str, Scalar]
) -> SetResult:
    """Run one set and write its result; a failure is the result's `error`."""
    try:
        run = session.backtest.run(session.strategy, *arguments)
        return write_result(run, folder, identity, parameters)
    except StrategyError as e:
        error = session.describe(e)
    except QueuefrontError as e:
        error = str(e)
    except OSError as e:
        error = f"{e.filename}: {(e.strerror or str(e)).lower()}"
    return SetResult(identity=identity, parameters=dict(parameters), error=error)


def _compile(session: Session, arguments: Sequence[Sequence[Scalar]]) -> None:
    """Compile the strategy for every combination of types among the sets, or load it from Numba's cache."""
    one_a_kind = {tuple(type(value) for value in values): values for values in arguments}
    for values in one_a_kind.values():
        try:
            session.backtest.prepare(session.strategy, *values)
        except StrategyError as e:
            raise StrategyError(session.describe(e)) from e


def main() -> None:
    """Serve the process that started this one."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)
