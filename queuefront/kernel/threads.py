"""The kernel for programs without an event loop: a thread of its own runs the loop, any thread may call."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from queuefront.core import ConfigError
from queuefront.kernel.driver import Kernel, open_kernel
from queuefront.kernel.outcome import KernelOutcome, closed_outcome
from queuefront.kernel.records import Command, Config
from queuefront.kernel.state import State
from queuefront.venues import Venue

__all__ = ["ThreadedKernel"]

T = TypeVar("T")


class ThreadedKernel:
    """A `Kernel` behind blocking calls. Calls from several threads take turns; a state once read never changes (T1).

    Parameters
    ----------
    venue, journal, config, timeout_ns : see `open_kernel`.
    """

    def __init__(
        self, venue: Venue, *, journal: Path | str, config: Config | None = None, timeout_ns: int = 5 * 10**9
    ) -> None:
        _refuse_inside_a_loop()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="queuefront-kernel", daemon=True)
        self._thread.start()
        self._lock = threading.Lock()
        self._is_open = True
        try:
            self.kernel: Kernel = self._call(open_kernel(venue, journal=journal, config=config, timeout_ns=timeout_ns))
        except BaseException:
            self._stop()
            raise

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def submit(self, command: Command) -> KernelOutcome:
        """Carry out a command and return its outcome."""
        _refuse_inside_a_loop()
        if not self._is_open:
            return closed_outcome(getattr(command, "slot_id", -1))
        return self._call(self.kernel.submit(command))

    def pump(self) -> int:
        """Apply what the venue pushed; return how many events that were."""
        _refuse_inside_a_loop()
        if not self._is_open:
            return 0
        return self._call(self._pump())

    async def _pump(self) -> int:
        return self.kernel.pump()

    @property
    def state(self) -> State:
        """The state of this moment, a value."""
        return self.kernel.state

    def close(self) -> None:
        """Close the kernel and end its thread; a second time does nothing."""
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
        try:
            self._call(self.kernel.close())
        finally:
            self._stop()

    def _stop(self) -> None:
        self._is_open = False
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _refuse_inside_a_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise ConfigError("a blocking call inside of a running event loop would stop it; await the Kernel itself")
