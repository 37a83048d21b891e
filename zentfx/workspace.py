"""A repository's folder ``.zentfx``: finds it, makes it, reads its config, opens its stores."""

from __future__ import annotations

import contextlib
import os
import sys
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from zentfx import environment
from zentfx.errors import ConfigError, NotFoundError, StoreError, near_matches
from zentfx.records.models import ComparedRun, RunRecord
from zentfx.records.pairing import Pairing, StoreNote
from zentfx.records.reader import Reader
from zentfx.running_step import running_step
from zentfx.stores.artifacts import ArtifactStore
from zentfx.stores.files import write_whole
from zentfx.stores.locks import Lock, claimed, exclusive, held, is_held
from zentfx.stores.memos import Memos
from zentfx.stores.metadata import MetadataStore, OpenMetadataStore, SQLiteMetadataStore
from zentfx.stores.trash import Trash

if TYPE_CHECKING:
    from zentfx.records.annotator import Annotator
    from zentfx.records.versions import Versions
    from zentfx.records.writer import Writer

# Written in C, where PyYAML has it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

__all__ = ["FOLDER", "Workspace"]

FOLDER = ".zentfx"
_VARIABLE = "ZENTFX_REPOSITORY"
_REGISTRATION = "registration-"  # how ids of registrations begin, that none of a run does
_CONFIG: dict[str, Any] = {
    "zentfx": 1,
    "orchestrator": "local",
    "max_workers": 1,
    "beam_args": [],
    "durable": True,
}
_CONFIG_TEXT = """\
# A zentfx repository. Pipelines that run below this folder are recorded here.
zentfx: 1             # format version
orchestrator: local   # what runs the steps
max_workers: 1        # how many steps may run side by side
beam_args: []         # arguments for Beam, for example [--direct_num_workers=2]
durable: true         # false does not wait for the disk: after a power cut, artifacts may be empty
"""


class Workspace:
    """The stores and settings of one repository.

    Args:
        root: The folder that holds ``.zentfx``.

    Attributes:
        root: That folder, absolute.
        folder: Its ``.zentfx``.
        artifacts: The artifact store.
        metadata: The metadata store.
        pairing: Whether the two belong together.
    """

    metadata: MetadataStore

    def __init__(self, root: Path) -> None:
        self.root = _plain(root)
        self.folder = self.root / FOLDER
        self._config = self._read_config()
        self.artifacts = ArtifactStore(self.folder / "artifacts", self._config["durable"])
        file = self.folder / "metadata.db"
        self.pairing = Pairing(Path(self.artifacts.path), file)
        self.metadata = SQLiteMetadataStore(file, guard=self.pairing)
        # Locks and files beside a store that lies elsewhere are not its own.
        self._in_place = True

    @classmethod
    def find(cls, path: str | os.PathLike[str] | None = None, create: bool = True) -> Workspace:
        """Opens the repository that a process works in.

        Args:
            path: The folder that holds ``.zentfx``. None, in a step, for that of its run;
                else for ``$ZENTFX_REPOSITORY``, else the nearest folder upwards from the working
                directory that has one, else the working directory.
            create: Whether to make a repository where there is none.

        Returns:
            The workspace.

        Raises:
            StoreError: If there is none and ``create`` is false, or it cannot be made.
            ConfigError: If its config file is not valid.
        """
        root = _plain(Path(path)) if path is not None else cls._default_root()
        if not (root / FOLDER / "config.yaml").is_file():
            if not create:
                raise StoreError(
                    f"There is no repository at {root.absolute()} (no {FOLDER} folder). "
                    "Repository(path) makes one, or zentfx init."
                )
            cls._make(root)
        return cls(root)

    @classmethod
    def of_others(cls, source: Any) -> Workspace:
        """Opens a metadata store that is not that of a repository, to read it.

        Args:
            source: Its SQLite file, MLMD's ``ConnectionConfig``, or an open ``MetadataStore``.

        Returns:
            The workspace. Where the store is one of zentfx in its place, what lies beside it is
            found too: sources, pipelines, logs.

        Raises:
            StoreError: If the source is none of these.
        """
        self = cls.__new__(cls)
        file = _file_of(source)
        self.metadata = (
            OpenMetadataStore(source) if file is None else SQLiteMetadataStore(file, read_only=True)
        )
        # Where a link to a store leads, its files are.
        beside = Path.cwd() if file is None else file.resolve().parent
        self.root = beside.parent if beside.name == FOLDER else beside
        self.folder = self.root / FOLDER
        self.artifacts = ArtifactStore(self.folder / "artifacts")
        self._config = dict(_CONFIG)
        self._in_place = file is not None and beside.name == FOLDER
        return self

    @staticmethod
    def _default_root() -> Path:
        step = running_step()
        if step is not None:
            return step.root
        named = os.environ.get(_VARIABLE)
        if named:
            return _plain(Path(named))
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / FOLDER / "config.yaml").is_file():
                return folder
        return here

    @staticmethod
    def _make(root: Path) -> None:
        folder = root / FOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Nothing in it belongs into version control.
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
            # Last, and whole: another process may be opening the repository.
            write_whole(folder / "config.yaml", _CONFIG_TEXT)
        except OSError as error:
            raise StoreError(f"No repository can be made at {root.absolute()}: {error}") from error
        sys.stderr.write(f"zentfx: made a repository at {root.absolute()}\n")

    def _read_config(self) -> dict[str, Any]:
        file = self.folder / "config.yaml"
        try:
            data = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            raise ConfigError(f"The config {file} cannot be read: {error}") from error
        if not isinstance(data, dict):
            raise ConfigError(f"{file}: expected 'name: value' lines; {data!r} came.")
        for name, value in data.items():
            if name not in _CONFIG:
                raise ConfigError(
                    f"{file}: there is no setting {name!r}.{near_matches(str(name), _CONFIG)}"
                )
            if type(value) is not type(_CONFIG[name]):
                expected = type(_CONFIG[name]).__name__
                raise ConfigError(f"{file}: {name} must be of type {expected}; {value!r} came.")
        if data.get("max_workers", 1) < 1:
            raise ConfigError(
                f"{file}: max_workers must be at least 1; {data['max_workers']} came."
            )
        if data.get("zentfx") != _CONFIG["zentfx"]:
            raise ConfigError(
                f"{file} has format version {data.get('zentfx')!r}; this zentfx reads version 1."
            )
        return {**_CONFIG, **data}

    def accept_store(self) -> StoreNote | None:
        """Takes the metadata store that there is for the one that the artifacts belong to.

        Returns:
            What the artifact store had noted of another one; None where it had noted nothing.

        Raises:
            StoreError: If there is none, or somebody in this process has it open.
        """
        store = SQLiteMetadataStore(self.folder / "metadata.db")
        with store.reading() as database:
            if database is None:
                raise StoreError(f"{store.place} is open in this process; close it first.")
            return self.pairing.accept(database)

    @property
    def orchestrator(self) -> str:
        """Name of the orchestrator."""
        return str(self._config["orchestrator"])

    @property
    def max_workers(self) -> int:
        """How many steps may run side by side."""
        return int(self._config["max_workers"])

    @property
    def beam_args(self) -> list[str]:
        """Arguments for Beam."""
        return [str(item) for item in self._config["beam_args"]]

    def hold_run(self, run_id: str) -> contextlib.AbstractContextManager[Lock]:
        """Within it, a run counts as alive.

        Args:
            run_id: The run's id.

        Returns:
            A context with the run's lock, to be settled when its end is recorded.
        """
        return held(self._lock(run_id))

    @contextlib.contextmanager
    def hold_registration(self) -> Iterator[str]:
        """Context manager within which a registration counts as alive.

        Yields:
            Its token, which claims versions as a run's id does.
        """
        token = f"{_REGISTRATION}{uuid.uuid4().hex}"
        with held(self._lock(token)) as lock:
            yield token
            lock.settled = True

    def runs(self, newest: int | None = None) -> list[RunRecord]:
        """Runs, oldest first; those whose process is gone have crashed.

        Args:
            newest: How many, of those that were recorded last; None for all.

        Returns:
            The records.
        """
        return [self._with_crash(run) for run in self.reader.runs(newest)]

    def compared_runs(self, every: bool = False) -> list[ComparedRun]:
        """All runs, as far as a comparison needs them; see :meth:`runs`.

        Args:
            every: Whether steps are needed that are the same in all runs.

        Returns:
            The runs.
        """
        found = self.reader.compared_runs(every)
        return [
            item._replace(run=self._with_crash(item.run)) if self._is_dead(item.run) else item
            for item in found
        ]

    def run(self, run_id: str) -> RunRecord:
        """One run; see :meth:`runs`.

        Args:
            run_id: Its id.

        Returns:
            The record.

        Raises:
            NotFoundError: If there is no such run.
        """
        return self._with_crash(self.reader.run(run_id))

    def _with_crash(self, run: RunRecord) -> RunRecord:
        if not self._is_dead(run):
            return run
        # It may have ended between the look at its record and the look at its lock.
        now = self.reader.run(run.id)
        if not self._is_dead(now):
            return now
        return now._replace(status="crashed", ended=self._last_sign(now))

    def _last_sign(self, run: RunRecord) -> datetime:
        """When a run that crashed was last alive, as far as is recorded."""
        return self.reader.last_sign(run.id) or run.started

    def _is_dead(self, run: RunRecord) -> bool:
        if not self._in_place:
            return False
        # Of a process on another machine a local lock says nothing.
        here = run.status == "running" and run.host == environment.host()
        return here and not is_held(self._lock(run.id))

    def is_alive(self, run_id: str) -> bool:
        """Whether a run or registration is still at work, as far as this machine can tell.

        Args:
            run_id: Its id.

        Returns:
            Whether it is; False where there is none.
        """
        if run_id.startswith(_REGISTRATION):
            return is_held(self._lock(run_id))
        try:
            return self.run(run_id).status == "running"
        except NotFoundError:
            return False

    def alive(self) -> set[str]:
        """Ids of the runs and registrations whose process is at work on this machine."""
        locks = [*self._locks(), *self._locks("registering")]
        return {lock.name for lock in locks if is_held(lock)}

    def dead(self) -> list[str]:
        """Ids of the runs whose process died and whose end is not recorded, oldest first."""
        return sorted(lock.name for lock in self._locks() if not is_held(lock))

    def _locks(self, kind: str = "running") -> list[Path]:
        folder = self.folder / kind
        return list(folder.iterdir()) if folder.is_dir() else []

    def record_crashes(self) -> None:
        """Records runs whose process died; called before a new run."""
        for lock in self._locks("registering"):
            with claimed(lock) as dead:
                if dead:
                    lock.unlink(missing_ok=True)
        for lock in self._locks():
            with claimed(lock) as dead:
                if not dead:
                    continue
                # Killed before it was recorded, a run is nothing.
                with contextlib.suppress(NotFoundError):
                    run = self.reader.run(lock.name)
                    if run.host != environment.host():
                        continue  # its lock cannot be seen from here
                    if run.status == "running":
                        error = "Its process is gone."
                        self.writer.end_run(run.id, "crashed", error, self._last_sign(run))
                    # Also of a run that recorded its end, and was killed just after.
                    self.annotator.group(run.id, run.annotations)
                lock.unlink(missing_ok=True)

    def _lock(self, run_id: str) -> Path:
        kind = "registering" if run_id.startswith(_REGISTRATION) else "running"
        return self.folder / kind / run_id

    @property
    def logs(self) -> Path:
        """The folder for logs: one folder a run, with one file a step."""
        return self.folder / "logs"

    @property
    def trashes(self) -> list[Trash]:
        """Where what is cleaned away goes: one a store, for they may be on different disks."""
        return [Trash(Path(self.artifacts.path)), Trash(self.folder)]

    @property
    def memos(self) -> Memos:
        """What was worked out once and need not be again."""
        return Memos(self.folder / "memos")

    @property
    def reader(self) -> Reader:
        """Reads the metadata store."""
        # What lies beside a store of somebody else is not what it recorded.
        located = self.artifacts.located if self._in_place else str
        return Reader(self.metadata, self.root, located)

    @property
    def annotator(self) -> Annotator:
        """Writes what users say of runs and artifacts."""
        from zentfx.records.annotator import Annotator

        self._check_writable()
        return Annotator(self.metadata.connect())

    @contextlib.contextmanager
    def annotating(self) -> Iterator[Annotator]:
        """The same, with nobody else annotating meanwhile: tags are read, and written again."""
        annotator = self.annotator
        with self.exclusive():
            yield annotator

    def note_search(self, name: str) -> None:
        """Tells the step that is running, if one is, that it has asked for all of some kind.

        Args:
            name: What it has asked.
        """
        step = running_step()
        if step is not None and step.root == self.root:
            step.search(name)

    def exclusive(self) -> contextlib.AbstractContextManager[None]:
        """Within it, nobody else of those who ask changes what was read."""
        return exclusive(self.folder)

    @property
    def writer(self) -> Writer:
        """Writes to the metadata store."""
        # Here, because who only reads does without MLMD.
        from zentfx.records.writer import Writer

        self._check_writable()
        return Writer(self.metadata.connect())

    @property
    def versions(self) -> Versions:
        """Writes versions of named artifacts."""
        from zentfx.records.versions import Versions

        self._check_writable()
        return Versions(
            self.metadata.connect(), self.is_alive, self.exclusive, self.artifacts.located
        )

    def _check_writable(self) -> None:
        if self.metadata.read_only:
            raise StoreError(
                f"{self.metadata.place} was opened by Repository(metadata=…), to be read. "
                "Repository(path) opens a repository to run pipelines in."
            )


def _file_of(source: Any) -> Path | None:
    """The SQLite file that a metadata store is in; None where it is none, or somebody has it."""
    if isinstance(source, (str, os.PathLike)):
        return _plain(Path(source))
    kind = getattr(source, "WhichOneof", lambda _: "")("config")
    if kind == "sqlite" and source.sqlite.filename_uri:
        return _plain(Path(source.sqlite.filename_uri.removeprefix("file://")))
    if not kind and not hasattr(source, "get_executions"):
        raise StoreError(
            "metadata must be an SQLite file's path, MLMD's ConnectionConfig or MetadataStore; "
            f"{source!r} came."
        )
    return None


def _plain(path: Path) -> Path:
    """The path, absolute and without ``..``: recorded places are compared with it as text."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() follows links
