"""What we change in Beam's runner in a worker, held against the installed Beam."""

from __future__ import annotations

import inspect
import weakref

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.worker.statecache import StateCache
from apache_beam.transforms import core

from zentfx.tfx_backend.executors.beam_runner import _remembering, pipeline_maker


def plain(first, second=2, *, third=3):
    pass


class Doing(beam.DoFn):
    def process(self, element, timestamp=beam.DoFn.TimestampParam, side=7):
        yield element


class Other(Doing):
    def process(self, element):
        yield element


@pytest.mark.parametrize(
    "function", [plain, Doing().process, Other().process, Doing.process, len, lambda x, y=1: x]
)
def test_remembered_arguments_are_those_that_beam_finds(function):
    remembered = _remembering(core.get_function_args_defaults)
    expected = core.get_function_args_defaults(function)
    assert remembered(function) == expected
    names, defaults = remembered(function)
    names.append("mine")
    defaults.append("mine")
    assert remembered(function) == expected


def test_a_method_is_remembered_without_its_object():
    calls = []

    def inspected(function):
        calls.append(function)
        return core.get_function_args_defaults(function)

    remembered = _remembering(inspected)
    for _ in range(3):
        remembered(Doing().process)
    assert len(calls) == 1
    doing = weakref.ref(calls.pop().__self__)
    assert doing() is None


def test_what_is_changed_is_there_and_does_what_is_meant():
    source = inspect.getsource(worker_handlers.EmbeddedWorkerHandler)
    assert "StateCache(STATE_CACHE_SIZE_MB * MB_TO_BYTES)" in source
    assert not StateCache(0).is_cache_enabled()
    assert "get_function_args_defaults(f)" in inspect.getsource(core.get_function_arguments)


@pytest.mark.parametrize(
    ("arguments", "ours"),
    [
        ([], True),
        (["--direct_running_mode=multi_processing", "--direct_num_workers=2"], True),
        (["--runner=DirectRunner"], True),
        (["--runner=PortableRunner", "--job_endpoint=localhost:1"], False),
        (["--runner=DataflowRunner"], False),
    ],
)
def test_workers_elsewhere_are_left_to_tfx(arguments, ours):
    maker = pipeline_maker(arguments)
    assert (maker is not None) == ours
    if maker is not None:
        assert isinstance(maker(), beam.Pipeline)
