"""The gate on real statistics, as a real TFX node."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from components.drift_gate.step import REPORT_FILE, DriftGate
from zentfx import (
    CSVDatasource,
    Pipeline,
    RandomSplit,
    Repository,
    SplitStep,
    StatisticsStep,
    errors,
)
from zentfx.materializers.examples import decode_examples
from zentfx.testing import check_step


class ByValue(SplitStep):
    """Sends small values of x to one split and large ones to the other: all drift."""

    def __init__(self, bound: float) -> None:
        self.bound = bound

    @property
    def split_names(self) -> list[str]:
        return ["eval", "train"]

    def assign(self, record: bytes) -> int:
        return int(decode_examples([record])["x"][0] > self.bound)


def pipeline_with(split: SplitStep, folder) -> Pipeline:
    rng = np.random.default_rng(0)
    data = folder / "data.csv"
    rows = pd.DataFrame({"x": rng.normal(size=600), "kind": rng.choice(["a", "b"], size=600)})
    rows.to_csv(data, index=False)
    pipeline = Pipeline("Drift", repository=Repository(folder))
    pipeline.add_step(CSVDatasource(name="data", path=data), "datasource")
    pipeline.add_step(split, "split", {"examples": "datasource.examples"})
    pipeline.add_step(StatisticsStep(), "statistics", {"examples": "split.split_examples"})
    pipeline.add_step(DriftGate(threshold=0.2), "drift", {"statistics": "statistics.statistics"})
    return pipeline


def test_a_random_split_passes_and_leaves_a_report(tmp_path):
    run = pipeline_with(RandomSplit(split_map={"train": 0.5, "eval": 0.5}), tmp_path).run(
        progress=None
    )
    step = run.steps["drift"]
    report = json.loads((step.outputs["report"].load() / REPORT_FILE).read_text("utf-8"))
    assert report["threshold"] == 0.2
    assert report["distances"].keys() == {"x", "kind"}
    assert all(0 <= value <= 0.2 for value in report["distances"].values())
    assert step.parameters == {"threshold": 0.2, "splits": ["train", "eval"]}


def test_a_split_by_value_is_stopped_and_says_where(tmp_path):
    with pytest.raises(errors.StepFailedError, match="differ by more than 0.2 in x 1.000"):
        pipeline_with(ByValue(bound=0.0), tmp_path).run(progress=None)


def test_the_step_keeps_the_rules():
    check_step(DriftGate())
    with pytest.raises(errors.ParameterError, match=r"must be in \[0, 1\]"):
        DriftGate(threshold=2)
