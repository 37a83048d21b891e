"""The same pipeline in another process gives the same model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
from pathlib import Path

import pytest
from tests.conftest import small_taxi_csv, taxi_pipeline
from zentfx import Repository
folder = Path(sys.argv[1])
run = taxi_pipeline("Again", small_taxi_csv(folder, 1500), Repository(folder)).run(progress=None)
print(json.dumps(run.steps["evaluator"].outputs["zentfx_metrics"].load()))
"""


@pytest.mark.slow
def test_another_process_computes_the_same_split_model_and_metrics(taxi, tmp_path):
    # Hash seeds differ between processes; nothing may depend on them.
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    metrics = json.loads(done.stdout.splitlines()[-1])
    expected = taxi.run.steps["evaluator"].outputs["zentfx_metrics"].load()
    # Threads add floats in any order, so the last digits may differ; another split would show in
    # the first.
    assert metrics["overall"] == pytest.approx(expected["overall"], rel=1e-5)
    assert by_slice(metrics) == pytest.approx(by_slice(expected), rel=1e-4)


def by_slice(metrics):
    return {
        tuple(item["slice"].items()): item["metrics"]["mean_squared_error"]
        for item in metrics["slices"]
    }
