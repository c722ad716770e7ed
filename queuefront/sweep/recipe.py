"""What a sweep runs: picklable, so that a worker can open it in a process of its own."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from queuefront.core import ConfigError, StrategyError
from queuefront.sweep.grid import Scalar

if TYPE_CHECKING:
    from queuefront.backtest import Backtest
    from queuefront.sim import Asset

__all__ = ["FunctionRecipe", "Recipe", "Session", "digest_of"]


@dataclass(frozen=True)
class Session:
    """A recipe that a worker has opened.

    Attributes
    ----------
    strategy : the function.
    bind : from a parameter set to the function's arguments after the first; raises ConfigError for what does not fit.
    backtest : the mapped tapes with their models.
    digest : of everything but the parameters that determines a result.
    describe : the one line that says why a strategy failed.
    """

    strategy: Callable[..., Any]
    bind: Callable[[Mapping[str, Scalar]], Sequence[Scalar]]
    backtest: Backtest
    digest: str
    describe: Callable[[StrategyError], str] = str


class Recipe(Protocol):
    """What a sweep runs; pickled for each worker."""

    def open(self) -> Session:
        """Load the strategy and map the tapes."""


@dataclass(frozen=True)
class FunctionRecipe:
    """A strategy function of a file, and the assets to run it on.

    Parameters
    ----------
    file, function : where the strategy stands; `FunctionRecipe.of` finds out.
    assets : with the paths of their tapes, which every worker maps.
    fixed : values of parameters that no set changes.
    sample_every_ns : see `Backtest`.
    """

    file: Path
    function: str
    assets: Sequence[Asset]
    fixed: Mapping[str, Scalar] = field(default_factory=dict)
    sample_every_ns: int | None = None

    @classmethod
    def of(
        cls,
        strategy: Callable[..., Any],
        assets: Sequence[Asset],
        *,
        fixed: Mapping[str, Scalar] | None = None,
        sample_every_ns: int | None = None,
    ) -> FunctionRecipe:
        """Return the recipe of a function that stands at the top of a file.

        Raises
        ------
        ConfigError
            For a function that workers cannot load, or an asset whose tape is in memory.
        """
        plain = getattr(strategy, "py_func", strategy)
        name = getattr(plain, "__qualname__", repr(strategy))
        file = Path(inspect.getsourcefile(plain) or "") if inspect.isfunction(plain) else Path()
        if not name.isidentifier() or not file.is_file():
            raise ConfigError(
                f"strategy {name!r} does not stand at the top of a file, where workers find it; move it there"
            )
        for i, asset in enumerate(assets):
            if hasattr(asset.tape, "levels"):
                raise ConfigError(f"asset {i} has its tape in memory, and workers map theirs; save it, and give its path")
        return cls(file.resolve(), name, tuple(assets), dict(fixed or {}), sample_every_ns)

    def open(self) -> Session:
        """Load the strategy and map the tapes."""
        from queuefront.backtest import Backtest
        from queuefront.core.jit import nameless

        name = f"_sweep_{self.file.stem}"
        spec = importlib.util.spec_from_file_location(name, self.file)
        if spec is None or spec.loader is None:
            raise StrategyError(f"{self.file}: not a Python file; a strategy's name ends in .py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        sys.path.insert(0, str(self.file.parent))
        spec.loader.exec_module(module)
        nameless(module)
        strategy = getattr(module, self.function)
        backtest = Backtest(self.assets, sample_every_ns=self.sample_every_ns)
        return Session(strategy, self._binder(strategy), backtest, digest_of(strategy, self.file, backtest))

    def _binder(self, strategy: Callable[..., Any]) -> Callable[[Mapping[str, Scalar]], list[Scalar]]:
        signature = inspect.signature(strategy)

        def bind(parameters: Mapping[str, Scalar]) -> list[Scalar]:
            try:
                bound = signature.bind(None, **self.fixed, **parameters)
            except TypeError as e:
                known = ", ".join(list(signature.parameters)[1:]) or "none"
                raise ConfigError(f"{self.function}: {e}; its parameters are: {known}") from e
            bound.apply_defaults()
            return list(bound.args[1:])

        return bind


def digest_of(strategy: Callable[..., Any], file: Path, backtest: Backtest) -> str:
    """Return a digest of a strategy, its tapes, models and settings: all but its parameters that makes a result."""
    import queuefront
    from queuefront.sim.hooks import HOOKS, code_digest
    from queuefront.sim.own import hooks_of

    assets = []
    for asset, tape in zip(backtest.assets, backtest.tapes, strict=True):
        hooks, params = hooks_of(asset.queue, asset.latency, asset.fees, asset.exchange)
        own = [f"{name} {code_digest(hooks[name])}" for name in HOOKS if name in hooks]
        models = [repr(model) for model in (asset.funding, asset.balances, asset.last_trades_capacity)]
        models += [repr(model) for model in (asset.mask_bad_spans, asset.passport)]
        models += [_told(model) for model in (asset.latency, asset.queue, asset.exchange, asset.fees)]
        told = [p.tolist() for p in params]
        assets.append([tape.meta["checksum"], tape.instrument.to_dict(), models, own, told])
    whole = {
        "version": queuefront.__version__,
        "strategy": [code_digest(strategy), hashlib.sha256(file.read_bytes()).hexdigest()],
        "assets": assets,
        "run": [backtest.sample_every_ns, backtest.records],
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()


def _told(model: Any) -> str:
    """Name a model with all of its values; an array by its bytes, a function by its name (its code is digested apart)."""
    values = []
    for name in (item.name for item in fields(model)):
        value = getattr(model, name)
        if hasattr(value, "tobytes"):
            value = hashlib.sha256(value.tobytes()).hexdigest()
        values.append(f"{name}={value.__qualname__ if callable(value) else repr(value)}")
    return f"{type(model).__name__}({', '.join(values)})"
