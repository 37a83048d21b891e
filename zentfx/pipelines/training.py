"""The training pipeline: the usual steps, under their usual names, wired by themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType

from zentfx.datasources.base import Datasource
from zentfx.errors import DataError, ParameterTypeError, PipelineError, near_matches
from zentfx.pipelines.base import ColumnLook, HasWorkspace, Pipeline
from zentfx.steps.base import BaseStep
from zentfx.steps.evaluator import EvaluatorStep, TFMAEvaluator
from zentfx.steps.keras_names import NUMBER_LOSSES
from zentfx.steps.node import OutputReference, PlacedStep
from zentfx.steps.preprocessor import PreprocessorStep, StandardPreprocessor
from zentfx.steps.pusher import Pusher
from zentfx.steps.schema import SchemaStep
from zentfx.steps.split import SplitStep
from zentfx.steps.statistics import StatisticsStep
from zentfx.steps.tfma_names import OF_POSITIVE_CLASS, TFMA_METRICS
from zentfx.steps.trainer import TrainerStep
from zentfx.steps.validation import ValidationStep

__all__ = ["TrainingPipeline"]

_REQUIRED = ("datasource", "split", "preprocessor", "trainer")


class TrainingPipeline(Pipeline):
    """Trains a model: from data to a pushed model in up to nine steps.

    ``datasource → statistics → schema → validation``, and ``datasource → split → preprocessor →
    trainer → evaluator → pusher``. Datasource, split, preprocessor and trainer must be added;
    statistics, schema and validation are there without; evaluator and pusher are optional. Further
    steps go anywhere, by :meth:`add_step`; ``inputs=`` of any method rewires a step.

    Args:
        name: See :class:`~zentfx.pipelines.base.Pipeline`, as for the other arguments.
        enable_cache: Whether its steps may reuse earlier results.
        repository: The repository that it runs in.
    """

    implied_inputs = MappingProxyType(
        {
            "datasource": {},
            "statistics": {"examples": "datasource.examples"},
            "schema": {"statistics": "statistics.statistics"},
            "validation": {"statistics": "statistics.statistics", "schema": "schema.schema"},
            "split": {"examples": "datasource.examples"},
            "preprocessor": {"examples": "split.split_examples", "schema": "schema.schema"},
            "trainer": {
                "examples": "preprocessor.transformed_examples",
                "transform_graph": "preprocessor.transform_graph",
                "schema": "schema.schema",
            },
            "evaluator": {"examples": "split.split_examples", "model": "trainer.model"},
            "pusher": {"model": "trainer.model", "model_blessing": "evaluator.blessing"},
        }
    )

    def __init__(
        self,
        name: str,
        enable_cache: bool = True,
        repository: HasWorkspace | str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(name, enable_cache, repository)
        self.add_statistics(StatisticsStep())
        self.add_schema(SchemaStep())
        self.add_validation(ValidationStep())

    def add_datasource(self, step: Datasource, inputs: Mapping[str, str] | None = None) -> None:
        """Adds or replaces the datasource: where the examples come from.

        Args:
            step: The datasource.
            inputs: What it reads, if it reads anything; None keeps what it read before.

        Raises:
            PipelineFrozenError: If the pipeline has run.
            ParameterTypeError: If it is another kind of step.
        """
        self._add("datasource", step, Datasource, inputs)

    def add_statistics(self, step: StatisticsStep, inputs: Mapping[str, str] | None = None) -> None:
        """Replaces the statistics step; see :meth:`add_datasource`."""
        self._add("statistics", step, StatisticsStep, inputs)

    def add_schema(self, step: SchemaStep, inputs: Mapping[str, str] | None = None) -> None:
        """Replaces the schema step; see :meth:`add_datasource`."""
        self._add("schema", step, SchemaStep, inputs)

    def add_validation(self, step: ValidationStep, inputs: Mapping[str, str] | None = None) -> None:
        """Replaces the validation step; see :meth:`add_datasource`."""
        self._add("validation", step, ValidationStep, inputs)

    def add_split(self, step: SplitStep, inputs: Mapping[str, str] | None = None) -> None:
        """Adds or replaces the split; see :meth:`add_datasource`."""
        self._add("split", step, SplitStep, inputs)

    def add_preprocessor(
        self, step: PreprocessorStep, inputs: Mapping[str, str] | None = None
    ) -> None:
        """Adds or replaces the preprocessor; see :meth:`add_datasource`."""
        self._add("preprocessor", step, PreprocessorStep, inputs)

    def add_trainer(self, step: TrainerStep, inputs: Mapping[str, str] | None = None) -> None:
        """Adds or replaces the trainer; see :meth:`add_datasource`."""
        self._add("trainer", step, TrainerStep, inputs)

    def add_evaluator(self, step: EvaluatorStep, inputs: Mapping[str, str] | None = None) -> None:
        """Adds or replaces the evaluator; see :meth:`add_datasource`."""
        self._add("evaluator", step, EvaluatorStep, inputs)

    def add_pusher(self, step: Pusher, inputs: Mapping[str, str] | None = None) -> None:
        """Adds or replaces the pusher; see :meth:`add_datasource`."""
        self._add("pusher", step, Pusher, inputs)

    def _add(self, name: str, step: BaseStep, kind: type, inputs: Mapping[str, str] | None) -> None:
        if not isinstance(step, kind):
            raise ParameterTypeError(
                f"add_{name} takes a {kind.__name__}; {step!r} came. Any other step goes in with "
                "add_step(step, name=…, inputs=…)."
            )
        self.add_step(step, name, inputs)

    def _implies(self, key: str, text: str) -> bool:
        if text == "evaluator.blessing":
            evaluator = self.steps.get("evaluator")
            return isinstance(evaluator, EvaluatorStep) and evaluator.blesses
        return super()._implies(key, text)

    def _arranged(self, placed: dict[str, PlacedStep]) -> dict[str, PlacedStep]:
        usual = [name for name in self.implied_inputs if name in placed]
        return {name: placed[name] for name in [*usual, *(n for n in placed if n not in usual)]}

    def wiring(self) -> dict[str, dict[str, OutputReference]]:
        """See :meth:`Pipeline.wiring`."""
        for name in _REQUIRED:
            if name not in self._placed:
                raise PipelineError(
                    f"The training pipeline {self.name!r} has no {name}. Add one: "
                    f"pipeline.add_{name}(…)."
                )
        return super().wiring()

    def _check_steps(self) -> None:
        super()._check_steps()
        self._check_splits()

    def _check_data(self, look: ColumnLook) -> None:
        columns = self._look_at_all(look).get("datasource")
        if columns is None:
            return
        # A step before the preprocessor may rename or add columns: then only the run can tell.
        wiring = self.wiring()
        if all(
            str(wiring[name].get("examples")) == self.implied_inputs[name]["examples"]
            for name in ("split", "preprocessor")
        ):
            self._check_columns(columns)

    def _check_splits(self) -> None:
        split, evaluator = self.steps["split"], self.steps.get("evaluator")
        if not isinstance(split, SplitStep):
            return
        needed = {"train": "The trainer", "eval": "The trainer"}
        if isinstance(evaluator, TFMAEvaluator):
            needed.update(dict.fromkeys(evaluator.splits, "The evaluator"))
        for name, who in needed.items():
            if name not in split.split_names:
                raise PipelineError(
                    f"{who} needs a split {name!r}; {type(split).__name__} makes "
                    f"{', '.join(split.split_names)}."
                )

    def _check_loss(self, classes: list[str]) -> None:
        """Refuses a loss for numbers on labels that hold strings."""
        trainer = self.steps["trainer"]
        if not classes or not isinstance(trainer, TrainerStep):
            return
        own = {type(trainer).model_fn, type(trainer).run_fn}
        if own == {TrainerStep.model_fn, TrainerStep.run_fn} and trainer.loss in NUMBER_LOSSES:
            raise PipelineError(
                f"The label {classes[0]!r} holds strings, so the model predicts a class, and "
                f"{trainer.loss!r} is a loss for numbers. Use TrainerStep("
                "loss='sparse_categorical_crossentropy', last_activation='softmax', "
                "output_units=<number of different values>)."
            )

    def _check_classes(self, preprocessor: StandardPreprocessor, texts: list[str]) -> None:
        """Refuses outputs and metrics that do not fit the classes of labels that hold strings."""
        trainer, evaluator = self.steps["trainer"], self.steps.get("evaluator")
        classes = preprocessor.classes or {}
        if isinstance(trainer, TrainerStep):
            trainer.check_classes(classes)
        metrics = evaluator.metrics if isinstance(evaluator, TFMAEvaluator) else {}
        for label in texts:
            positive = [
                metric
                for metric in metrics.get(label, ())
                if TFMA_METRICS[metric] in OF_POSITIVE_CLASS
            ]
            if positive and label not in classes:
                raise PipelineError(
                    f"TFMAEvaluator: {positive[0]!r} depends on which class of {label!r} is the "
                    "positive one, and the label holds strings. Name the classes, the positive one "
                    f"last: {type(preprocessor).__name__}(…, classes={{{label!r}: "
                    "['<negative>', '<positive>']})."
                )
            if positive and len(classes[label]) != 2:
                raise PipelineError(
                    f"TFMAEvaluator: {positive[0]!r} is for two classes, of which one is the "
                    f"positive one; {label!r} has {len(classes[label])}. Use "
                    "'sparse_categorical_accuracy'."
                )

    def _check_columns(self, columns: Mapping[str, str]) -> None:
        preprocessor, evaluator = self.steps["preprocessor"], self.steps.get("evaluator")
        if isinstance(preprocessor, StandardPreprocessor):
            for parameter in ("features", "labels"):
                for column in getattr(preprocessor, parameter):
                    where = f"{type(preprocessor).__name__}: {parameter} names {column!r}"
                    if column not in columns:
                        raise DataError(
                            f"{where}, which the data does not have.{near_matches(column, columns)}"
                        )
                    problem = preprocessor.column_problem(column, columns[column])
                    if problem:
                        raise DataError(f"{where}, which {problem}.")
            texts = [name for name in preprocessor.labels if columns[name] == "string"]
            self._check_loss(texts)
            self._check_classes(preprocessor, texts)
        if isinstance(evaluator, TFMAEvaluator) and isinstance(preprocessor, PreprocessorStep):
            for label in evaluator.metrics:
                if label not in preprocessor.label_columns:
                    raise PipelineError(
                        f"TFMAEvaluator: metrics names {label!r}, which is no label of the "
                        f"preprocessor.{near_matches(label, preprocessor.label_columns)}"
                    )
            for column in (name for names in evaluator.slices or [] for name in names):
                if column not in columns:
                    raise DataError(
                        f"TFMAEvaluator: slices names {column!r}, which the data does not have."
                        f"{near_matches(column, columns)}"
                    )
