"""Loading artifacts by their type's name."""

import importlib
import json
import math

import pytest

from zentfx import materializers
from zentfx.errors import DataNotFoundError, MissingDependencyError
from zentfx.materializers.metrics import metrics_text
from zentfx.materializers.needs import need


@pytest.mark.parametrize("name", sorted(materializers._LOADERS))
def test_every_loader_in_the_table_is_there_and_light_to_import(name):
    module, _, function = materializers._LOADERS[name].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("name", sorted(materializers._LOADERS))
def test_files_that_are_gone_are_an_error_that_names_them(name, tmp_path):
    with pytest.raises(DataNotFoundError, match=f"The files of this {name} are gone.*{tmp_path}/x"):
        materializers.load(name, str(tmp_path / "x"), {})


def test_a_type_of_the_users_loads_as_its_folder(tmp_path):
    assert materializers.load("DriftReport", str(tmp_path), {}) == tmp_path


def test_metrics_load_as_plain_data(tmp_path):
    data = {"overall": {"mse": 1e-07}, "slices": [{"slice": {"a": "b"}, "metrics": {"mse": None}}]}
    (tmp_path / "metrics.json").write_text(json.dumps(data), encoding="utf-8")
    assert materializers.load("Metrics", str(tmp_path), {}) == data


def test_metrics_that_are_not_finite_come_back_from_standard_json(tmp_path):
    data = {
        "overall": {"auc": math.nan, "mse": math.inf},
        "slices": [{"slice": {"a": "nan"}, "metrics": {"mse": -math.inf, "mae": 0.5}}],
    }
    text = metrics_text(data)
    assert "NaN" not in text
    assert "Infinity" not in text
    (tmp_path / "metrics.json").write_text(text, encoding="utf-8")
    loaded = materializers.load("Metrics", str(tmp_path), {})
    assert math.isnan(loaded["overall"].pop("auc"))
    assert loaded == {"overall": {"mse": math.inf}, "slices": data["slices"]}


def test_a_blessing_loads_as_a_bool(tmp_path):
    assert materializers.load("ModelBlessing", str(tmp_path), {}) is False
    (tmp_path / "NOT_BLESSED").touch()
    assert materializers.load("ModelBlessing", str(tmp_path), {}) is False
    (tmp_path / "BLESSED").touch()
    assert materializers.load("ModelBlessing", str(tmp_path), {}) is True


def test_a_model_that_was_never_exported_says_so(tmp_path):
    with pytest.raises(DataNotFoundError, match="is empty: its step has written no model"):
        materializers.load("Model", str(tmp_path), {})


def test_a_package_that_is_not_installed_is_named_with_the_extra():
    with pytest.raises(
        MissingDependencyError, match=r"To load it, no_such_package .*zentfx\[tfx\]"
    ):
        need("no_such_package", "load it")


def test_a_missing_package_is_an_import_error_of_python_too():
    with pytest.raises(ImportError):
        need("no_such_package.part", "load it")


def test_a_package_that_is_installed_is_imported():
    assert need("json", "load it") is json
