"""Worker processes, and who runs what.

The first worker opens the recipe and compiles the strategy. A strategy that needs no Python while it runs is run there, in
as many threads as there are jobs: one process loads, compiles and maps what all of them use. Should that process end, as by
a crash in compiled code, or where a strategy is plain Python, sets are run one at a time in processes of their own, so that
none takes another one with it. Those are started when the first one has compiled, and load from Numba's cache what it
wrote: two processes that write the same cache are an open crash report of Numba's (4807).

No more sets are under way than there are jobs.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from queue import SimpleQueue
from typing import Any, Final

from queuefront.core import InvariantError, QueuefrontError
from queuefront.sweep.result import SetResult
from queuefront.sweep.worker import Opened, Order

__all__ = ["Pool"]

#: Not `-m`: what is pickled must not be of `__main__`.
_START: Final = "from queuefront.sweep.worker import main; main()"


class Pool:
    """Workers for one order; `with` ends them, whatever they are doing.

    Parameters
    ----------
    order : what they run, and how many sets at once.
    """

    def __init__(self, order: Order) -> None:
        self._order, self._is_closed = order, False
        self._workers = [_Worker(order.threads)]

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
        if self._workers[0].threads > 1:
            pending = yield from self._run_in_threads(pending)
        yield from self._run_in_processes(pending, identities)

    def _run_in_threads(self, pending: Sequence[int]) -> Generator[tuple[int, SetResult], None, Sequence[int]]:
        """Run sets in the first worker's threads and yield what comes of them; return those that are left if it ends."""
        worker, left = self._workers[0], dict.fromkeys(pending)
        work = iter(pending)
        is_there = all(worker.send(i) for i in islice(work, worker.threads))
        while left and is_there and (answer := worker.receive()) is not None:
            i, result = answer
            del left[i]
            following = next(work, None)
            is_there = following is None or worker.send(following)
            yield i, result
        return list(left)

    def _run_in_processes(self, pending: Sequence[int], identities: Sequence[str]) -> Iterator[tuple[int, SetResult]]:
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

        count = min(self._order.threads, len(pending))
        self._workers += [_Worker() for _ in range(count - len(self._workers))]
        for k in range(count):
            threading.Thread(target=stand_by, args=(k,), daemon=True).start()
        for _ in pending:
            result = results.get()
            if isinstance(result, Exception):
                raise result
            yield result

    def _run_one(self, k: int, i: int, identity: str) -> SetResult:
        worker = self._workers[k]
        if worker.is_ended or worker.threads > 1:
            worker.end()
            worker = self._workers[k] = _Worker()
        if not worker.is_open:
            worker.open(replace(self._order, threads=1))
        if worker.send(i) and (answer := worker.receive()) is not None:
            result: SetResult = answer[1]
            return result
        # The process is gone, with the set that it had; the others go on in a new one.
        parameters = dict(self._order.sets[i])
        return SetResult(identity=identity, parameters=parameters, error=f"the worker {worker.ending()}")


class _Worker:
    """A process, which runs as many sets at once as `threads` says."""

    def __init__(self, threads: int = 1) -> None:
        self.is_open = self.is_ended = False
        self.threads = threads
        # The sets are what runs in parallel.
        each = {"POLARS_MAX_THREADS": str(threads), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **each, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def open(self, order: Order) -> Opened:
        opened = self.receive() if self.send(order) else None
        if not isinstance(opened, Opened):
            raise InvariantError(
                f"a sweep's worker {self.ending()} before it had opened the strategy; see its output above"
            )
        if opened.refusal is not None:
            raise opened.refusal
        self.is_open, self.threads = True, opened.threads
        return opened

    def send(self, message: object) -> bool:
        """Send a message; return whether the process is there to read it."""
        assert self._process.stdin is not None
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):  # ValueError: the pool ended, and closed the pipe
            return False
        return True

    def receive(self) -> Any:
        """Return the next answer; None if the process ended."""
        assert self._process.stdout is not None
        try:
            return pickle.load(self._process.stdout)  # noqa: S301 - from the process that we started
        except (EOFError, pickle.UnpicklingError, ValueError):
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
