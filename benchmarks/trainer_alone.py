"""The trainer of `changed_trainer.py` without a pipeline: TFX's executor makes its arguments.

TFX's types are imported as lightly as zentfx does it: imported plainly, they cost this side more
than the pipeline takes.
"""

import argparse
import json
from pathlib import Path

from changed_trainer_pipeline import trainer

from zentfx.light_imports import light_imports

with light_imports():
    from tfx.types import standard_artifacts

from tfx.components.trainer import executor


def artifact(kind: type, uri: str, **properties: str):
    """An artifact where a run has written it."""
    made = kind()
    made.uri = uri
    for name, value in properties.items():
        setattr(made, name, value)
    return [made]


class Executor(executor.GenericExecutor):
    """Trains, and that is all."""

    def train(self, inputs: dict, outputs: dict, lr: float) -> None:
        """Calls the step as zentfx's executor does."""
        settings = {"train_args": "{}", "eval_args": "{}", "custom_config": "null"}
        fn_args = self._GetFnArgs(inputs, outputs, settings)
        columns = Path(fn_args.transform_graph_path) / "zentfx_columns.json"
        fn_args.custom_config = json.loads(columns.read_text(encoding="utf-8"))
        trainer(lr).run_fn(fn_args)


def main() -> None:
    """Trains on what the file of places names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", type=Path, help="JSON: the trainer's inputs, and a folder")
    parser.add_argument("lr", type=float)
    args = parser.parse_args()
    places = json.loads(args.places.read_text())
    inputs = {
        "examples": artifact(
            standard_artifacts.Examples, places["examples"], split_names='["train", "eval"]'
        ),
        "transform_graph": artifact(standard_artifacts.TransformGraph, places["transform_graph"]),
        "schema": artifact(standard_artifacts.Schema, places["schema"]),
    }
    inputs["examples"][0].set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
    inputs["examples"][0].set_string_custom_property("file_format", "tfrecords_gzip")
    outputs = {
        "model": artifact(standard_artifacts.Model, f"{places['folder']}/model-{args.lr}"),
        "model_run": artifact(standard_artifacts.ModelRun, f"{places['folder']}/run-{args.lr}"),
    }
    Executor().train(inputs, outputs, args.lr)


if __name__ == "__main__":
    main()
