"""Options that several commands take, and the repository that they mean."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zentfx.errors import StoreError

if TYPE_CHECKING:
    from zentfx.repository import Repository
    from zentfx.workspace import Workspace

__all__ = [
    "Store",
    "json_option",
    "label_options",
    "newest_option",
    "repository_option",
    "store_options",
]

_Command = Callable[..., Any]

repository_option = click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="The folder that holds .zentfx; by default the nearest one upwards.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for programs, and nothing else."
)


@dataclass(frozen=True)
class Store:
    """What a command reads.

    Attributes:
        folder: A repository's folder; None for the nearest one.
        metadata: Instead, an SQLite file of ML Metadata.
    """

    folder: Path | None = None
    metadata: Path | None = None

    def workspace(self) -> Workspace:
        """Opens it, and makes none.

        Returns:
            The workspace.

        Raises:
            StoreError: If there is none.
            ConfigError: If the repository's config file is not valid.
        """
        from zentfx.workspace import Workspace

        if self.metadata is not None:
            return Workspace.of_others(self.metadata)
        try:
            workspace = Workspace.find(self.folder, create=False)
        except StoreError as error:
            raise StoreError(f"{error} So does `zentfx init FOLDER`.") from error
        if not os.path.lexists(workspace.metadata.place):
            workspace.pairing.check_absence()
            raise StoreError(
                f"The repository {workspace.root} has no metadata store, {workspace.metadata.place}"
                " is not there. `zentfx init` makes an empty one."
            )
        return workspace

    def open(self) -> Repository:
        """Opens it, and makes none; see :meth:`workspace`."""
        from zentfx import Repository

        workspace = self.workspace()
        if self.metadata is not None:
            return Repository(metadata=self.metadata)
        return Repository(workspace.root)


def store_options(command: _Command) -> _Command:
    """Adds ``--repository`` and ``--metadata``; the command gets them as ``store``."""

    @repository_option
    @click.option(
        "--metadata",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Instead of a repository, an SQLite file of ML Metadata, whoever wrote it.",
    )
    @functools.wraps(command)
    def with_store(
        *args: Any, repository: Path | None, metadata: Path | None, **kwargs: Any
    ) -> Any:
        if repository is not None and metadata is not None:
            raise click.UsageError(
                "--repository and --metadata are two ways to say what to read: give one."
            )
        return command(*args, store=Store(repository, metadata), **kwargs)

    return with_store


def label_options(command: _Command) -> _Command:
    """Adds ``--project``, ``--experiment``, ``--owner``, ``--changelist`` and ``--tag``."""
    for name in ("tag", "changelist", "owner", "experiment", "project"):
        said = "with this tag" if name == "tag" else f"of this {name}"
        command = click.option(f"--{name}", metavar="NAME", help=f"Only those {said}.")(command)
    return command


def newest_option(default: int | None, text: str) -> Callable[[_Command], _Command]:
    """Makes the option ``--newest``.

    Args:
        default: How many by default; None for all.
        text: Its help.
    """
    return click.option(
        "--newest",
        type=click.IntRange(min=0),
        default=default,
        show_default=default is not None,
        metavar="N",
        help=text,
    )
