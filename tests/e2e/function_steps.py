"""Steps and pipelines that several files of tests use."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from zentfx import (
    BaseStep,
    Repository,
    pipeline,
    step,
)


@step
def numbers(count: int = 3) -> Annotated[np.ndarray, "numbers"]:
    return np.arange(count)


@step
def total(values: np.ndarray, factor: float = 1) -> float:
    return float(values.sum()) * factor


@step
def halves(values: np.ndarray):
    middle = len(values) // 2
    return values[:middle], values[middle:]


@step
def add(one, other=0):
    return one + other


class Doubled(BaseStep):
    inputs = {"values": "zentfx.Dataset"}
    outputs = {"result": "zentfx.Dataset"}

    def __init__(self, factor: int = 2) -> None:
        self.factor = factor

    def process(self, inputs, outputs):
        outputs["result"].save(inputs["values"].load() * self.factor)


class Halved(BaseStep):
    inputs = {"values": "zentfx.Dataset"}
    outputs = {"first": "zentfx.Dataset", "second": "zentfx.Dataset"}

    def process(self, inputs, outputs):
        values = inputs["values"].load()
        outputs["first"].save(values[: len(values) // 2])
        outputs["second"].save(values[len(values) // 2 :])


def quiet(function=None, **options):
    decorate = pipeline(**{"progress": False, **options})
    return decorate if function is None else decorate(function)


@quiet
def making(count):
    numbers(count)


@quiet
def using():
    total(Repository().get_artifact_version("numbers"))


def statuses(run):
    return {name: item.status for name, item in run.steps.items()}
