"""Worker processes, and who runs what.

One thread stands by each process: it hands over one set and waits for its result, so that no more work is under way than
there are workers. The first worker opens the recipe and compiles the strategy; the others are told of it when that is
done, and load from Numba's cache what the first one wrote. Two processes that write the same cache are an open crash
report of Numba's (4807).
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from typing import Any, Final

from queuefront.core import InvariantError, QueuefrontError
from queuefront.sweep.result import SetResult
from queuefront.sweep.worker import Opened, Order

__all__ = ["Pool"]

#: Not `-m`: what is pickled must not be of `__main__`.
_START: Final = "from queuefront.sweep.worker import main; main()"
#: One thread a process: the processes are what runs in parallel.
_THREADS: Final = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


class Pool:
    """Workers for one order; `with` ends them, whatever they are doing.

    Parameters
    ----------
    order : what they run.
    jobs : how many processes there may be; they start at once, and so load their imports while the first one compiles.
    """

    def __init__(self, order: Order, jobs: int) -> None:
        self._order, self._is_closed = order, False
        self._workers = [_Worker() for _ in range(max(1, jobs))]

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed = True
        for worker in self._workers:
            worker.end()

    def open(self) -> Sequence[str]:
        """Let the first worker open the recipe, and return the identities of the sets.

        Raises
        ------
        QueuefrontError, OSError
            What the recipe was refused for.
        """
        return self._workers[0].open(self._order).identities

    def run(self, pending: Sequence[int], identities: Sequence[str]) -> Iterator[tuple[int, SetResult]]:
        """Run sets and yield (number, result) as they come."""
        results: SimpleQueue[tuple[int, SetResult] | Exception] = SimpleQueue()
        work, lock = iter(pending), threading.Lock()

        def following() -> int | None:
            with lock:
                return None if self._is_closed else next(work, None)

        def stand_by(k: int) -> None:
            try:
                while (i := following()) is not None:
                    results.put((i, self._run_one(k, i, identities[i])))
            except (QueuefrontError, OSError) as e:
                results.put(e)

        for k in range(min(len(self._workers), len(pending))):
            threading.Thread(target=stand_by, args=(k,), daemon=True).start()
        for _ in pending:
            result = results.get()
            if isinstance(result, Exception):
                raise result
            yield result

    def _run_one(self, k: int, i: int, identity: str) -> SetResult:
        worker = self._workers[k]
        if worker.is_ended:
            worker = self._workers[k] = _Worker()
        if not worker.is_open:
            worker.open(self._order)
        result = worker.ask(i)
        if isinstance(result, SetResult):
            return result
        # The process is gone, with the set that it had; the others go on in a new one.
        parameters = dict(self._order.sets[i])
        return SetResult(identity=identity, parameters=parameters, error=f"the worker {worker.ending()}")


class _Worker:
    def __init__(self) -> None:
        self.is_open = self.is_ended = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_THREADS, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def open(self, order: Order) -> Opened:
        opened = self.ask(order)
        if not isinstance(opened, Opened):
            raise InvariantError(
                f"a sweep's worker {self.ending()} before it had opened the strategy; see its output above"
            )
        if opened.refusal is not None:
            raise opened.refusal
        self.is_open = True
        return opened

    def ask(self, message: object) -> Any:
        """Send a message and return the answer; None if the process ended."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(message, process.stdin)
            process.stdin.flush()
            return pickle.load(process.stdout)  # noqa: S301 - from the process that we started
        except (EOFError, BrokenPipeError, pickle.UnpicklingError, ValueError):
            return None  # ValueError: the pool ended, and closed the pipe, while this thread read

    def ending(self) -> str:
        """Return how the process ended."""
        self.is_ended = True
        code = self._process.wait()
        self.end()
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def end(self) -> None:
        process = self._process
        process.kill()  # it may be in compiled code, which hears nothing softer
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # what was not sent yet has no reader any more
                    pipe.close()
