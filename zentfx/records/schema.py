"""Every name that zentfx writes to MLMD.

These names are a format: stores outlive releases. Change none; add new ones.
"""

from __future__ import annotations

__all__ = [
    "CACHE_SCOPE",
    "MARK",
    "NODE",
    "PIPELINE",
    "PIPELINE_RUN",
    "PIPELINE_VERSION",
    "Artifact",
    "Execution",
    "Mark",
    "PipelineVersion",
    "Run",
]

# Context types. The first three are TFX's own.
PIPELINE = "pipeline"
PIPELINE_RUN = "pipeline_run"
NODE = "node"
PIPELINE_VERSION = "zentfx.PipelineVersion"
CACHE_SCOPE = "zentfx.CacheScope"
MARK = "zentfx.Mark"


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
    RECORDED = "zentfx_recorded"
    FINGERPRINT = "zentfx_fingerprint"
    SOURCES = "zentfx_sources"  # name of the kept source text: a digest of it
    DIGESTS = "zentfx_digests"
    ENVIRONMENT = "zentfx_environment"
    # Names of the parameters that are recorded and dropped before TFX computes the cache key.
    UNKEYED = "zentfx_unkeyed"
    # ``crashed``: a state that MLMD does not have. Absent otherwise.
    STATUS = "zentfx_status"


class Artifact:
    """Custom properties of every artifact that a step wrote."""

    MANIFEST = "zentfx_manifest"  # name of the kept list of its files


class Mark:
    """Custom properties of a ``zentfx.Mark`` context, which the marked artifacts belong to."""

    NOTE = "zentfx_note"
    REMOVED = "zentfx_removed_ms"  # when the mark was taken back; absent while it holds
