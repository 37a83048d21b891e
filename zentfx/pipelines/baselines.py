"""The model that a new one is compared with: the latest of its pipeline that was blessed."""

from __future__ import annotations

from zentfx.records.models import ArtifactRecord
from zentfx.stores.files import is_gone
from zentfx.workspace import Workspace

__all__ = ["latest_blessed"]

# What TFX's evaluator notes on a blessing.
_BLESSED = "blessed"
_MODEL = "current_model_id"
_BLESSING_TYPE = "ModelBlessing"


def latest_blessed(workspace: Workspace, pipeline: str, step: str) -> ArtifactRecord | None:
    """Finds what TFX's Resolver with the LatestBlessedModelStrategy would find.

    The pipeline's runs count, whatever its version, the newest first; a run that reused a blessing
    counts as one that gave it. Models that are marked, deleted or gone do not count.

    Args:
        workspace: The repository.
        pipeline: Name of the pipeline.
        step: Name of the step that blesses.

    Returns:
        The model, or None if there is none yet.
    """
    workspace.metadata.check()  # which makes it, if this is the first run of all
    reader = workspace.reader
    runs = [run.id for run in reader.runs() if run.pipeline == pipeline]
    blessed = {
        item.id: int(item.properties[_MODEL])
        for item in reader.all_artifacts(_BLESSING_TYPE, runs)
        if item.properties.get(_BLESSED) == 1 and _MODEL in item.properties
    }
    marked = reader.marked()
    models = {
        number: model
        for number, model in reader.artifacts(blessed.values()).items()
        if model.state == "live" and number not in marked and not is_gone(model.uri)
    }
    for run in reversed(runs) if models else ():
        for record in reader.step_runs(run):
            if record.name == step and record.status in ("completed", "cached"):
                for blessing in record.outputs.get("blessing", ()):
                    if blessed.get(blessing) in models:
                        return models[blessed[blessing]]
    return None
