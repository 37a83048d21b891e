"""Every name that zentfx writes to MLMD.

These names are a format: stores outlive releases. Change none; add new ones.
"""

from __future__ import annotations

__all__ = [
    "ANNOTATIONS",
    "ARTIFACT_NAME",
    "ARTIFACT_VERSION",
    "CACHE_SCOPE",
    "MARK",
    "NODE",
    "NOTE",
    "PIPELINE",
    "PIPELINE_RUN",
    "PIPELINE_VERSION",
    "Artifact",
    "ArtifactName",
    "ArtifactVersion",
    "Execution",
    "Mark",
    "PipelineVersion",
    "Recorded",
    "Run",
]

# Context types. The first three are TFX's own.
PIPELINE = "pipeline"
PIPELINE_RUN = "pipeline_run"
NODE = "node"
PIPELINE_VERSION = "zentfx.PipelineVersion"
CACHE_SCOPE = "zentfx.CacheScope"
MARK = "zentfx.Mark"
# One for each name of artifacts, which all versions belong to; and one for each version, called
# <name>@<version>: MLMD lets no two contexts of a type have one name.
ARTIFACT_NAME = "zentfx.ArtifactName"
ARTIFACT_VERSION = "zentfx.ArtifactVersion"
# Groups that users make, by what they are called in a run's properties.
ANNOTATIONS = {
    "project": "zentfx.Project",
    "experiment": "zentfx.Experiment",
    "owner": "zentfx.Owner",
    "changelist": "zentfx.Changelist",
    "tag": "zentfx.Tag",
}


# Custom property of the contexts of ANNOTATIONS: a remark, in chunks as in Execution.
NOTE = "zentfx_note"


class Run:
    """Custom properties of a ``pipeline_run`` context."""

    STATUS = "zentfx_status"
    PIPELINE = "zentfx_pipeline"
    VERSION = "zentfx_pipeline_version"
    USER = "zentfx_user"
    HOST = "zentfx_host"
    STARTED = "zentfx_started_ms"  # milliseconds since the epoch, UTC, as text: see Execution
    ENDED = "zentfx_ended_ms"
    CODE_REVISION = "zentfx_code_revision"
    ERROR = "zentfx_error"
    # What a user says of it, each also a context of its own (ANNOTATIONS), the run's parent.
    PROJECT = "zentfx_project"
    EXPERIMENT = "zentfx_experiment"
    OWNER = "zentfx_owner"
    CHANGELIST = "zentfx_changelist"
    TAGS = "zentfx_tags"  # JSON, in chunks
    NOTE = "zentfx_note"  # in chunks
    STEPS = "zentfx_steps"  # JSON: names of the pipeline's steps, in chunks as in Execution


class PipelineVersion:
    """Custom properties of a ``zentfx.PipelineVersion`` context, named ``<pipeline>@<version>``."""

    PIPELINE = "zentfx_pipeline"
    NUMBER = "zentfx_version"
    DIGEST = "zentfx_digest"
    YAML_URI = "zentfx_yaml_uri"


class Execution:
    """Custom properties of a step run's execution, besides one for each parameter.

    Long texts are cut into chunks ``<name>``, ``<name>_1``, …, because PostgreSQL refuses property
    strings over about 2,600 bytes. Times of runs are text, because MySQL and PostgreSQL keep ints
    in 32 bits.
    """

    SOURCE = "zentfx_source"
    KEYED = "zentfx_keyed"
    # JSON: all that tells one run of a step from another, in one text (Recorded), so that steps
    # that are the same have the same text.
    RECORDED = "zentfx_recorded"
    RUN = "zentfx_run"  # id of the run: over MLMD's API contexts can only be asked one by one
    FINGERPRINT = "zentfx_fingerprint"
    SOURCES = "zentfx_sources"  # name of the kept source text: a digest of it
    DIGESTS = "zentfx_digests"
    ENVIRONMENT = "zentfx_environment"
    # Names of the parameters that are recorded and dropped before TFX computes the cache key.
    UNKEYED = "zentfx_unkeyed"
    # ``crashed``: a state that MLMD does not have. Absent otherwise.
    STATUS = "zentfx_status"


class Recorded:
    """Keys of the JSON in :attr:`Execution.RECORDED`."""

    ARGUMENTS = "arguments"  # the constructor's, exactly
    DERIVED = "derived"  # the parameters that are not among them
    SOURCE = "source"  # the step's class, which is the execution's type
    STEP = "step"  # the step's name in the pipeline
    CODE = "code"  # the fingerprint
    CONTENT = "content"  # digest of the content of its input files; empty where it has none


class Artifact:
    """Custom properties of every artifact that a step wrote."""

    MANIFEST = "zentfx_manifest"  # name of the kept list of its files
    # Of a value that a materializer saved.
    MATERIALIZER = "zentfx_materializer"
    PYTHON_TYPE = "zentfx_python_type"
    DIGEST = "zentfx_digest"
    # JSON, in chunks: versions of Python and of the packages that the value is made of.
    ENVIRONMENT = "zentfx_environment"
    PICKLED = "zentfx_pickled"  # 1 if it can only be loaded with versions like those
    # Of a version of a named artifact.
    NAME = "zentfx_name"
    VERSION = "zentfx_version"
    # What the step that wrote it has looked up, and may find another of the next time: names, as a
    # JSON list, in chunks. Absent where there is none.
    LOOKED_UP = "zentfx_looked_up"
    # What its step said about its result: sentences, as a JSON list, in chunks. Absent without any.
    REMARKS = "zentfx_remarks"
    # Of transformed examples: how many labels each split has and lacks, as JSON, in chunks.
    LABELS = "zentfx_labels"
    # Of a model, and of the metrics of one: the classes of its labels in order, as JSON, in chunks.
    CLASSES = "zentfx_classes"
    # Of a blessing, and of the metrics beside it: "blessed", or "not blessed: " and why.
    VERDICT = "zentfx_verdict"


class Mark:
    """Custom properties of a ``zentfx.Mark`` context, which the marked artifacts belong to."""

    NOTE = "zentfx_note"  # in chunks
    ARTIFACT = "zentfx_artifact"  # id of the artifact that was marked; the others are below it
    USER = "zentfx_user"
    REMOVED = "zentfx_removed_ms"  # when the mark was taken back; absent while it holds


class ArtifactVersion:
    """Custom properties of a ``zentfx.ArtifactVersion`` context."""

    # Who claimed it: the run's id, and behind a colon the step; or a registration's token. The
    # artifact follows.
    RUN = "zentfx_run"
    # Tags and note as on runs.


class ArtifactName:
    """Custom properties of a ``zentfx.ArtifactName`` context."""

    LATEST = "zentfx_latest"  # the highest number so far, as text; where to begin to look, not more


def spellings(type_name: str) -> tuple[str, ...]:
    """Types of artifacts that a name stands for: ``Model`` is TFX's and that of function steps.

    Args:
        type_name: The name.

    Returns:
        Names of types in MLMD.
    """
    return (type_name,) if "." in type_name else (type_name, f"zentfx.{type_name}")
