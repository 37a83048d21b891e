"""The pusher, the statistics and the other steps with little to refuse."""

import pytest

from zentfx import Pusher, SchemaStep, StatisticsStep, ValidationStep
from zentfx.errors import ParameterError, ParameterTypeError
from zentfx.steps.artifacts import InputArtifact


def test_the_pusher_needs_a_folder():
    with pytest.raises(ParameterError, match="Pusher needs 'folder'"):
        Pusher()
    with pytest.raises(ParameterError, match="Pusher: parameter 'folder' must name a folder"):
        Pusher(folder="")


def test_the_pushers_folder_counts_for_the_cache():
    step = Pusher(folder="serving/taxi")
    assert step.arguments == {"folder": "serving/taxi"}
    assert not step.unkeyed


def test_a_push_is_repeated_unless_it_is_the_newest_version_in_its_folder(tmp_path):
    def reusable(pushed=1, folder="serving"):
        metadata = {"pushed": pushed, "pushed_version": "1700000000"}
        outputs = {"pushed_model": InputArtifact("PushedModel", str(tmp_path / "x"), metadata)}
        return Pusher(folder=str(tmp_path / folder)).reusable(outputs)

    assert not reusable()
    assert reusable(pushed=0)  # a model that was not blessed is not pushed now either
    (tmp_path / "serving" / "1700000000").mkdir(parents=True)
    (tmp_path / "serving" / "9999999999-notes.txt").touch()
    assert reusable()
    assert not reusable(folder="other")
    (tmp_path / "serving" / "1700000001").mkdir()
    assert not reusable()


@pytest.mark.parametrize("rate", [0, -0.5, 1.01])
def test_the_statistics_refuse_a_rate_that_is_none(rate):
    with pytest.raises(ParameterError, match=r"'sample_rate' must be in \(0, 1\]"):
        StatisticsStep(sample_rate=rate)


@pytest.mark.parametrize("rate", [1, 1e-9, 0.5])
def test_the_statistics_take_a_rate(rate):
    assert StatisticsStep(sample_rate=rate).sample_rate == rate


def test_the_schema_takes_a_bool():
    assert SchemaStep().fixed_shapes is False
    assert SchemaStep(fixed_shapes=True).fixed_shapes is True
    with pytest.raises(ParameterTypeError, match="'fixed_shapes' must be bool"):
        SchemaStep(fixed_shapes=1)


def test_the_validation_has_no_parameters():
    assert ValidationStep().arguments == {}
