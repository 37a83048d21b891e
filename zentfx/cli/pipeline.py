"""``zentfx pipeline``: the pipelines that have run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zentfx.cli.lazy import LazyGroup
from zentfx.cli.options import Store, json_option, store_options
from zentfx.cli.output import echo, echo_json, echo_table, note
from zentfx.cli.users_code import users_code
from zentfx.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from zentfx.repository import Repository

__all__ = ["pipeline"]


@click.group(cls=LazyGroup)
def pipeline() -> None:
    """Lists the pipelines that have run, and prints them."""


@pipeline.command("list")
@json_option
@store_options
def list_(store: Store, as_json: bool) -> None:
    """Lists the pipelines that have run, by name.

    Example: zentfx pipeline list
    """
    repository = store.open()
    versions = {
        item.pipeline: item.number for item in repository.workspace.reader.pipeline_versions()
    }
    runs = repository.get_runs()
    latest = {run.pipeline: run for run in runs if run.pipeline}
    counts = Counter(run.pipeline for run in runs)
    found = [
        {
            "name": name,
            "version": versions.get(name),
            "runs": counts[name],
            "last_run": latest[name].id if name in latest else None,
            "status": latest[name].status if name in latest else None,
            "started": latest[name].started if name in latest else None,
        }
        for name in sorted(versions.keys() | latest.keys())
    ]
    if as_json:
        echo_json(found)
    elif found:
        titles = ["name", "version", "runs", "last run", "status", "started (UTC)"]
        echo_table(titles, [list(item.values()) for item in found])
    else:
        note("No pipelines yet.")


@pipeline.command()
@click.argument("name")
@click.option("--version", type=click.IntRange(min=1), metavar="N", help="By default the latest.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it to a file; paths in it then start from the file's folder.",
)
@json_option
@store_options
def get(name: str, version: int | None, output: Path | None, store: Store, as_json: bool) -> None:
    """Prints the YAML of a pipeline that has run.

    Its steps' classes must be importable, from the working directory or installed. If they are not,
    it is printed as it is recorded: then paths in it may start from the repository's folder.

    Example: zentfx pipeline get "Pipeline A" --version 2 -o pipeline.yaml
    """
    if output is not None and as_json:
        raise click.UsageError("-o writes YAML; let --json go to a file by the shell: > FILE.")
    repository = store.open()
    text, number = _yaml_of(repository, name, version, output)
    if output is not None:
        output.write_text(text, encoding="utf-8")
        note(f"Wrote {output}.")
    elif as_json:
        echo_json({"version": number, **_parsed(text)})
    else:
        echo(text.encode(), newline=False)  # YAML is UTF-8, wherever it goes


def _yaml_of(
    repository: Repository, name: str, version: int | None, output: Path | None
) -> tuple[str, int]:
    """The YAML of a pipeline, for a file or for wherever it goes; and its version."""
    try:
        with users_code(Path.cwd(), silent=True):
            found = repository.get_pipeline_by_name(name, version)
        problem = next(iter(found.missing.values()), None)
        if problem is None:
            base = None if output is None else output.parent
            return found.to_yaml(base=base), found.version or 0
    except NotFoundError as error:
        if any(run.pipeline == name and not run.version for run in repository.get_runs()):
            raise NotFoundError(
                f"The pipeline {name!r} was not run by zentfx: its YAML is not recorded."
            ) from error
        raise
    except ConfigError as error:
        problem = str(error)
    workspace = repository.workspace
    records = {item.number: item for item in workspace.reader.pipeline_versions(name)}
    record = records[max(records) if version is None else version]
    text = workspace.artifacts.read_text("pipelines", Path(record.yaml_uri).name)
    if text is None:
        raise ConfigError(problem)
    note(
        "warning: this is the YAML as it is recorded, in which paths may start from "
        f"{workspace.root}, because not all of it is here: {problem}"
    )
    return text, record.number


def _parsed(text: str) -> dict[str, Any]:
    import yaml

    data: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {name: data[name] for name in ("name", "type", "enable_cache", "steps")}
