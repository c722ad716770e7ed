"""The records of a run configuration name models that the library has."""

from __future__ import annotations

import inspect

import msgspec
import pytest

import queuefront as qf
from queuefront.cli.runconfig import MODELS, USUAL_KIND, AssetConfig, RunSettings

#: What is read from a file, by its keys; see `model_files`.
FROM_FILES = {"own": {"file", "name"}, "sampled": {"rounds", "seed"}}
KINDS = [(model, kind, config) for model, kinds in MODELS.items() for kind, config in kinds.items()]


@pytest.mark.parametrize(("model", "kind", "config"), KINDS)
def test_every_kind_has_the_librarys_class_and_its_arguments(model: str, kind: str, config: type[msgspec.Struct]) -> None:
    assert msgspec.inspect.type_info(config).tag == kind  # type: ignore[union-attr]
    known = FROM_FILES.get(kind) or set(inspect.signature(getattr(qf, config.__name__)).parameters)
    assert set(config.__struct_fields__) <= known


def test_every_key_of_an_asset_is_an_argument_of_the_librarys_asset() -> None:
    assert set(AssetConfig.__struct_fields__) <= set(inspect.signature(qf.Asset).parameters)


def test_every_key_of_a_run_is_an_argument_of_the_librarys_backtest() -> None:
    assert set(RunSettings.__struct_fields__) <= set(inspect.signature(qf.Backtest).parameters)


def test_the_usual_kinds_exist() -> None:
    assert all(kind in MODELS[model] for model, kind in USUAL_KIND.items())
