"""What a step sees of its inputs and outputs."""

import json
from pathlib import Path

import pytest

from zentfx import InputArtifact, OutputArtifact
from zentfx.errors import DataNotFoundError


def test_an_input_of_a_type_of_the_users_loads_as_its_folder(tmp_path):
    artifact = InputArtifact("DriftReport", str(tmp_path))
    assert artifact.path == tmp_path
    assert artifact.load() == tmp_path


def test_an_input_loads_by_its_type(tmp_path):
    data = {"overall": {"mse": 0.5}, "slices": []}
    (tmp_path / "metrics.json").write_text(json.dumps(data))
    assert InputArtifact("Metrics", str(tmp_path)).load() == data


def test_an_input_whose_files_are_gone_says_so(tmp_path):
    with pytest.raises(DataNotFoundError, match="The files of this Metrics are gone"):
        InputArtifact("Metrics", str(tmp_path / "gone")).load()


def test_an_output_has_a_folder_and_metadata_of_its_own():
    first, second = OutputArtifact("Model", "/a"), OutputArtifact("Model", "/b")
    first.metadata["rows"] = 3
    assert first.path == Path("/a")
    assert second.metadata == {}
