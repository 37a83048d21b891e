"""zentfx: steps and pipelines on TFX, recorded in ML Metadata, compared and reused.

Everything public is here, and loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from zentfx._version import __version__
from zentfx.light_imports import uncollected

if TYPE_CHECKING:
    from zentfx.datasources.base import Datasource
    from zentfx.datasources.csv_file import CSVDatasource
    from zentfx.datasources.data_frame import DataFrameDatasource
    from zentfx.errors import ZenTFXError
    from zentfx.materializers.base import BaseMaterializer
    from zentfx.parameters import Secret
    from zentfx.pipelines.base import Pipeline
    from zentfx.pipelines.function import pipeline
    from zentfx.pipelines.training import TrainingPipeline
    from zentfx.repository import Repository, register_artifact
    from zentfx.steps.artifacts import InputArtifact, OutputArtifact
    from zentfx.steps.base import BaseStep
    from zentfx.steps.evaluator import EvaluatorStep, TFMAEvaluator
    from zentfx.steps.function import step
    from zentfx.steps.metric_log import log_metric
    from zentfx.steps.outputs import ArtifactConfig
    from zentfx.steps.preprocessor import PreprocessorStep, StandardPreprocessor
    from zentfx.steps.pusher import Pusher
    from zentfx.steps.schema import SchemaStep
    from zentfx.steps.split import RandomSplit, SplitStep
    from zentfx.steps.statistics import StatisticsStep
    from zentfx.steps.trainer import TrainerStep
    from zentfx.steps.validation import ValidationStep
    from zentfx.views.artifact import ArtifactVersion
    from zentfx.views.comparison import Comparison
    from zentfx.views.context import Context
    from zentfx.views.graph import Graph
    from zentfx.views.listing import Listing
    from zentfx.views.run import Run, StepRun

__all__ = [
    "ArtifactConfig",
    "ArtifactVersion",
    "BaseMaterializer",
    "BaseStep",
    "CSVDatasource",
    "Comparison",
    "Context",
    "DataFrameDatasource",
    "Datasource",
    "EvaluatorStep",
    "Graph",
    "InputArtifact",
    "Listing",
    "OutputArtifact",
    "Pipeline",
    "PreprocessorStep",
    "Pusher",
    "RandomSplit",
    "Repository",
    "Run",
    "SchemaStep",
    "Secret",
    "SplitStep",
    "StandardPreprocessor",
    "StatisticsStep",
    "StepRun",
    "TFMAEvaluator",
    "TrainerStep",
    "TrainingPipeline",
    "ValidationStep",
    "ZenTFXError",
    "__version__",
    "log_metric",
    "pipeline",
    "register_artifact",
    "step",
]

# Public name to the module that defines it; a test holds it against the imports above.
_HOMES = {
    "ArtifactConfig": "zentfx.steps.outputs",
    "ArtifactVersion": "zentfx.views.artifact",
    "BaseMaterializer": "zentfx.materializers.base",
    "BaseStep": "zentfx.steps.base",
    "CSVDatasource": "zentfx.datasources.csv_file",
    "Comparison": "zentfx.views.comparison",
    "Context": "zentfx.views.context",
    "DataFrameDatasource": "zentfx.datasources.data_frame",
    "Datasource": "zentfx.datasources.base",
    "EvaluatorStep": "zentfx.steps.evaluator",
    "Graph": "zentfx.views.graph",
    "InputArtifact": "zentfx.steps.artifacts",
    "Listing": "zentfx.views.listing",
    "OutputArtifact": "zentfx.steps.artifacts",
    "Pipeline": "zentfx.pipelines.base",
    "PreprocessorStep": "zentfx.steps.preprocessor",
    "Pusher": "zentfx.steps.pusher",
    "RandomSplit": "zentfx.steps.split",
    "Repository": "zentfx.repository",
    "Run": "zentfx.views.run",
    "SchemaStep": "zentfx.steps.schema",
    "Secret": "zentfx.parameters",
    "SplitStep": "zentfx.steps.split",
    "StandardPreprocessor": "zentfx.steps.preprocessor",
    "StatisticsStep": "zentfx.steps.statistics",
    "StepRun": "zentfx.views.run",
    "TFMAEvaluator": "zentfx.steps.evaluator",
    "TrainerStep": "zentfx.steps.trainer",
    "TrainingPipeline": "zentfx.pipelines.training",
    "ValidationStep": "zentfx.steps.validation",
    "ZenTFXError": "zentfx.errors",
    "log_metric": "zentfx.steps.metric_log",
    "pipeline": "zentfx.pipelines.function",
    "register_artifact": "zentfx.repository",
    "step": "zentfx.steps.function",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with uncollected():
        value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
