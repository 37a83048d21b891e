"""Beam pipelines of executors, with what costs Beam's runner in this process most left out.

For every state that it caches, the runner walks all objects that it can reach to learn its size,
though within a process nothing is saved by caching; and it inspects the signatures of the same few
functions tens of thousands of times. Of a small training pipeline that is a tenth of the CPU time
(benchmarks/README.md).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.transforms import core

__all__ = ["pipeline_maker", "tune"]

_LOCAL = (None, "DirectRunner", "direct")


def pipeline_maker(arguments: Sequence[str]) -> Callable[[], Any] | None:
    """What TFX's executors make their Beam pipelines with.

    TFX itself would build a source package of itself for the workers, at every step that is given
    arguments, and hand it to them. Workers on this machine have the packages that this process has.

    Args:
        arguments: Beam's arguments.

    Returns:
        A function that makes a pipeline; None where TFX's own way is needed, because the workers
        are elsewhere.
    """
    options = PipelineOptions(list(arguments))
    if options.view_as(StandardOptions).runner not in _LOCAL:
        return None
    return lambda: beam.Pipeline(options=PipelineOptions(list(arguments)))


@functools.cache
def tune() -> None:
    """Leaves out of Beam's in-process runner what is said above. For a worker process alone."""
    worker_handlers.STATE_CACHE_SIZE_MB = 0
    core.get_function_args_defaults = _remembering(core.get_function_args_defaults)


Signature = tuple[list[str], list[Any]]


def _remembering(inspected: Callable[[Any], Signature]) -> Callable[[Any], Signature]:
    """Remembers what a function's arguments are: of a method by its function, not by its object.

    Functions are not kept alive by it: they may hold models and data.
    """
    methods: WeakKeyDictionary[Any, Signature] = WeakKeyDictionary()
    functions: WeakKeyDictionary[Any, Signature] = WeakKeyDictionary()

    def remembered(function: Any) -> Signature:
        is_method = isinstance(function, MethodType)
        known, key = (methods, function.__func__) if is_method else (functions, function)
        if not isinstance(key, FunctionType):  # of others it is not known whether they change
            return inspected(function)
        if key not in known:
            known[key] = inspected(function)
        names, defaults = known[key]
        return list(names), list(defaults)

    return remembered
