"""What the command line's tests share: pipelines of plain steps, and ways to call."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from zentfx import BaseStep, Pipeline, Repository, Run, log_metric
from zentfx.cli import cli
from zentfx.errors import StepFailedError


class Write(BaseStep):
    """Writes a file."""

    outputs = {"text": "Text"}

    def __init__(self, text: str = "x", sizes: list[int] | None = None):
        self.text = text

    def process(self, inputs, outputs):
        (outputs["text"].path / "a.txt").write_text(self.text)
        outputs["text"].metadata["rows"] = 12


class Trainer(BaseStep):
    """Trains nothing; its metrics are told."""

    inputs = {"text": "Text"}
    outputs = {"model": "Model", "metrics": "Metrics"}

    def __init__(self, lr: float = 0.1, odd: bool = False, fails: bool = False):
        self.lr = lr
        self.odd = odd
        self.fails = fails

    def process(self, inputs, outputs):
        if self.fails:
            raise ValueError("asked to fail")
        (outputs["model"].path / "weights").write_text("0" * 3000)
        log_metric("loss", self.lr / 3)
        if self.odd:
            log_metric("odd_loss", math.nan)
            log_metric("far_loss", math.inf)


RED = "Pipeline [red]B"  # rich would take it for markup


def chain(repository, name, text="x", **arguments):
    pipeline = Pipeline(name, repository=repository)
    pipeline.add_step(Write(text, [1, 2]), "write")
    pipeline.add_step(Trainer(**arguments), "trainer", {"text": "write.text"})
    return pipeline


def run_failing(pipeline):
    with pytest.raises(StepFailedError) as caught:
        pipeline.run(progress=None)
    return caught.value.run_id


@dataclass
class Filled:
    """A repository, and its runs: two of Pipeline A, one of a pipeline with an odd name."""

    repository: Repository
    first: Run
    second: Run
    failed: Run

    @property
    def at(self):
        return ["--repository", str(self.repository.path)]


def fill(folder):
    repository = Repository(folder)
    with repository.annotated(project="taxi", experiment="[bold]", tags=["[red]", "b"]):
        first = chain(repository, "Pipeline A", lr=0.1).run(progress=None)
    with repository.annotated(owner="ann", changelist="42", note="one\ntwo \x1b[31m"):
        second = chain(repository, "Pipeline A", lr=0.3, odd=True).run(progress=None)
    failed = run_failing(chain(repository, RED, text="[bold]y", fails=True))
    return Filled(repository, first, second, repository.get_pipeline_run(failed))


def call(*arguments):
    """Calls the command line in this process; errors of zentfx are the result's exception."""
    return CliRunner(mix_stderr=False).invoke(cli, [str(item) for item in arguments])


def called(*arguments):
    """What a command prints on stdout, when it goes well."""
    result = call(*arguments)
    assert result.exit_code == 0, (result.stderr, result.exception)
    return result.stdout


def told(*arguments):
    """What a command prints as JSON."""
    return json.loads(called(*arguments, "--json"), parse_constant=pytest.fail)
