"""What TFX's Launcher calls to run an executor: here or in a worker process."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

from zentfx.errors import DataError
from zentfx.light_imports import light_imports
from zentfx.materializers.base import of_scripts
from zentfx.orchestrators import RunRequest
from zentfx.parameters import canonical_json
from zentfx.pickling import dumps
from zentfx.records.encoding import chunked, cut
from zentfx.records.schema import Artifact
from zentfx.source_code.user_sources import note_loaded
from zentfx.stores.artifacts import ArtifactStore
from zentfx.tfx_backend.execute import execute
from zentfx.tfx_backend.failures import ExecutorFailedError, Failure, masked, secret_values
from zentfx.tfx_backend.families import is_plain
from zentfx.tfx_backend.located import with_located_inputs
from zentfx.tfx_backend.logs import step_log
from zentfx.tfx_backend.naming import Naming
from zentfx.tfx_backend.session import READS, Session, in_session
from zentfx.tfx_backend.worker.exceptions import unpack_exception
from zentfx.tfx_backend.worker.messages import Canceled, Done, Failed, Task
from zentfx.tfx_backend.worker.pool import WorkerDiedError, python_path, run_in_worker

with light_imports():
    from tfx.orchestration.portable import base_executor_operator, outputs_utils
    from tfx.proto.orchestration import executable_spec_pb2, execution_result_pb2

__all__ = [
    "Place",
    "ThisProcess",
    "WorkerProcess",
    "executor_operators",
    "failed_output",
    "run_executor",
]

_log = logging.getLogger(__name__)

_UNKNOWN = 2  # gRPC's code for an error that has no other


class Place(Protocol):
    """Where executors work."""

    def execute(self, name: str, executor_spec: Any, info: Any) -> Any:
        """Runs an executor.

        Args:
            name: The step's name.
            executor_spec: The executor.
            info: TFX's ``ExecutionInfo``.

        Returns:
            TFX's ``ExecutorOutput``.

        Raises:
            ExecutorFailedError: If it raised.
            KeyboardInterrupt: If it was interrupted.
        """


class ThisProcess:
    """Executors work here: where they can print, and be debugged.

    Args:
        request: What is run.
    """

    def __init__(self, request: RunRequest) -> None:
        self._request = request
        self._nodes = {node.name: node for node in request.nodes}

    def execute(self, name: str, executor_spec: Any, info: Any) -> Any:
        """See :class:`Place`."""
        # What a plain step writes to stderr is the user's own, a progress bar say.
        node = self._nodes[name]
        quiet = not is_plain(node)
        loaded, folder = len(sys.modules), os.getcwd()  # noqa: PTH109
        secrets = secret_values(node.parameters)
        with step_log(self._request.log(name), secrets, quiet) as log:
            try:
                with in_session(Session.of(self._request)):
                    return execute(executor_spec, info)
            # SystemExit too: argparse raises it behind Beam's arguments.
            except (Exception, SystemExit) as error:
                log.exception("The step failed.")
                failure = Failure.of(error, node.parameters)
                raise ExecutorFailedError(failure, partial(_itself, error)) from error
            finally:
                with contextlib.suppress(OSError):
                    os.chdir(folder)  # what comes after it starts where it did
                if len(sys.modules) != loaded:
                    note_loaded()  # modules that the step has imported


class WorkerProcess:
    """Executors work in a worker process.

    Args:
        request: What is run.
    """

    def __init__(self, request: RunRequest) -> None:
        self._request = request
        self._nodes = {node.name: node for node in request.nodes}
        self._canceled = threading.Event()
        self._packed: dict[str, bytes | ExecutorFailedError] = {}

    def pack(self, name: str) -> None:
        """Packs a step to be sent; to be called in the main thread.

        Packing a class imports its module. A thread that waits for a module which the main thread
        is importing right now, because it runs a pipeline while it is imported, waits for ever.

        Args:
            name: The step's name.
        """
        cls = type(self._nodes[name].step)
        own = replace(
            Session.of(self._request),
            classes={name: self._nodes[name].step.maker},
            materializers=tuple(of_scripts()),
        )
        try:
            self._packed[name] = dumps(own)
        except Exception as error:  # noqa: BLE001 - whatever cannot be pickled raises
            what = f"{cls.__qualname__} cannot be sent to the worker process"
            failure = Failure(
                what,
                f"{what}, because what it uses cannot be pickled: {error}\nDefine it in a module, "
                "or call run(in_process=True).",
            )
            self._packed[name] = ExecutorFailedError(failure, partial(_itself, error))

    def cancel(self) -> None:
        """Stops the steps that run in workers, and those that are about to."""
        self._canceled.set()

    def execute(self, name: str, executor_spec: Any, info: Any) -> Any:
        """See :class:`Place`."""
        packed = self._packed[name]  # it stays, for another attempt
        if isinstance(packed, ExecutorFailedError):
            _log.error("%s", packed.failure.text)
            raise packed
        secrets = secret_values(self._nodes[name].parameters)
        task = Task(
            name=name,
            session=packed,
            executor_spec=executor_spec,
            invocation=info.to_proto(),
            log=self._request.log(name),
            secrets=secrets,
            cwd=os.getcwd(),  # noqa: PTH109 - as it is, to be set again
            environ=dict(os.environ),
            path=python_path(),
        )
        try:
            reply = run_in_worker(task, self._canceled, self._nodes[name].step.options.timeout)
        except WorkerDiedError as error:
            raise ExecutorFailedError(Failure.of(error, {}), partial(_itself, error)) from error
        if isinstance(reply, Done):
            return reply.output
        if isinstance(reply, Canceled):
            raise KeyboardInterrupt
        assert isinstance(reply, Failed)
        text = masked(reply.traceback, secrets)
        raise ExecutorFailedError(reply.failure, partial(_rebuilt, reply, text))


def _itself(error: BaseException) -> BaseException:
    return error


class _WorkerTraceback(Exception):  # noqa: N818 - not an error of its own: the text of another
    """What happened in the worker, as text."""

    def __init__(self, text: str) -> None:
        super().__init__(f'\n"""\n{text}"""')


def _rebuilt(reply: Any, text: str) -> BaseException:
    """The exception of an executor, where it can be had without importing what it is from."""
    known = reply.error_module.partition(".")[0] in sys.modules
    if reply.error is None or not known:
        return _WorkerTraceback(text)
    try:
        error: BaseException = unpack_exception(reply.error)
    except Exception:  # noqa: BLE001 - of a class that is another here
        return _WorkerTraceback(text)
    error.__cause__ = _WorkerTraceback(text)
    return error


class _StepOperator(base_executor_operator.BaseExecutorOperator):
    """Has an executor run in its place, and tells the Launcher what became of it."""

    SUPPORTED_EXECUTOR_SPEC_TYPE: ClassVar = [
        executable_spec_pb2.PythonClassExecutableSpec,
        executable_spec_pb2.BeamExecutableSpec,
    ]
    SUPPORTED_PLATFORM_CONFIG_TYPE: ClassVar = []

    def __init__(
        self,
        executor_spec: Any,
        platform_config: Any = None,
        *,
        place: Place,
        artifacts: ArtifactStore,
        naming: Naming,
        raised: dict[str, ExecutorFailedError],
    ) -> None:
        super().__init__(executor_spec, platform_config)
        self._place = place
        self._artifacts = artifacts
        self._naming = naming
        self._raised = raised

    def run_executor(self, execution_info: Any) -> Any:
        """Called by the Launcher for a node that has to run."""
        name = execution_info.pipeline_node.node_info.id
        try:
            return run_executor(
                self._place, self._executor_spec, execution_info, self._artifacts, self._naming
            )
        except KeyboardInterrupt:
            outputs_utils.remove_output_dirs(execution_info.output_dict)
            raise
        except ExecutorFailedError as error:
            self._raised[name] = error
            return failed_output(error.failure)


def run_executor(
    place: Place, executor_spec: Any, info: Any, artifacts: ArtifactStore, naming: Naming
) -> Any:
    """Runs an executor, names what it has written, and notes the files.

    Args:
        place: Where.
        executor_spec: The executor.
        info: TFX's ``ExecutionInfo``.
        artifacts: The artifact store.
        naming: Claims versions.

    Returns:
        TFX's ``ExecutorOutput``, with a manifest for each output.

    Raises:
        ExecutorFailedError: If it raised.
    """
    step = info.pipeline_node.node_info.id
    try:
        naming.begin(step)
    except DataError as error:
        raise ExecutorFailedError(Failure.of(error, {}), partial(_itself, error)) from error
    output = place.execute(step, executor_spec, with_located_inputs(info, artifacts))
    reads = json.loads(output.execution_properties[READS].string_value or "[]")
    del output.execution_properties[READS]
    naming.read(info.execution_id, reads)
    # Of a version that was named, it is known what the next look finds.
    uncertain = sorted({name for _, (name, pinned) in reads if not pinned})
    looked_up = chunked(Artifact.LOOKED_UP, canonical_json(uncertain)) if uncertain else {}
    for chunk, text in looked_up.items():  # on the execution too, which may have no outputs
        output.execution_properties[chunk].string_value = text
    # Before they are published, and never changed again.
    for name, planned in info.output_dict.items():
        listed = output.output_artifacts[name].artifacts
        if not listed:
            listed.extend(artifact.mlmd_artifact for artifact in planned)
        for artifact in listed:
            key = artifacts.keep_manifest(Path(artifact.uri))
            artifact.custom_properties[Artifact.MANIFEST].string_value = key
            for chunk, text in looked_up.items():
                artifact.custom_properties[chunk].string_value = text
    naming.name(step, output.output_artifacts)
    return output


def failed_output(failure: Failure) -> Any:
    """What tells TFX to record a failure, with its text.

    Args:
        failure: What is said of it.

    Returns:
        TFX's ``ExecutorOutput``.
    """
    result = execution_result_pb2.ExecutorOutput()
    result.execution_result.code = _UNKNOWN
    result.execution_result.result_message = cut(failure.text)
    return result


def executor_operators(
    place: Place,
    artifacts: ArtifactStore,
    naming: Naming,
    raised: dict[str, ExecutorFailedError],
) -> dict[Any, Any]:
    """The operators to give to TFX's Launcher.

    Args:
        place: Where executors work.
        artifacts: The artifact store.
        naming: Claims versions.
        raised: Where to note what executors raised, by the step's name.

    Returns:
        Makers of operators by the kind of executor.
    """
    made = partial(_StepOperator, place=place, artifacts=artifacts, naming=naming, raised=raised)
    return dict.fromkeys(_StepOperator.SUPPORTED_EXECUTOR_SPEC_TYPE, made)
