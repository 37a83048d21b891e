"""``zentfx artifact``: what steps have written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zentfx.analysis.printable import printable
from zentfx.cli.differences import echo_differences
from zentfx.cli.lazy import LazyGroup
from zentfx.cli.options import (
    Store,
    json_option,
    label_options,
    repository_option,
    store_options,
)
from zentfx.cli.output import echo, echo_json, echo_table, exact, note, shown
from zentfx.cli.quantities import AGE, SIZE, size_text
from zentfx.cli.records import files_there, told_of_artifact, told_of_run, told_of_step

if TYPE_CHECKING:
    from zentfx.views.artifact import ArtifactVersion

__all__ = ["artifact"]

_ANY = "any"


@click.group(cls=LazyGroup)
def artifact() -> None:
    """Lists, describes, compares and marks artifacts.

    ARTIFACT is an id, or an address pipeline::step::output: what the latest completed run of that
    pipeline wrote there.
    """


@artifact.command("list")
@click.argument("type", metavar="[TYPE]", required=False)
@click.option("--pipeline", metavar="NAME", help="Only those of runs of this pipeline.")
@label_options
@click.option("--older-than", type=AGE, metavar="AGE", help="30d, 12h, 90m, or a date.")
@click.option("--unused-for", type=AGE, metavar="AGE", help="Not written, reused or read since.")
@click.option("--larger-than", type=SIZE, metavar="SIZE", help="100MB, 1.5GiB, or bytes.")
@click.option("--marked/--not-marked", default=None, help="Whether they are marked.")
@click.option("--exists/--gone", default=None, help="Whether their files are there.")
@click.option(
    "--state",
    metavar="STATE",
    default="live",
    show_default=True,
    help="MLMD's state; live is also what has none, any is all.",
)
@json_option
@store_options
def list_(
    store: Store,
    type: str | None,
    older_than: timedelta | datetime | None,
    unused_for: timedelta | datetime | None,
    larger_than: int | None,
    marked: bool | None,
    exists: bool | None,
    state: str,
    as_json: bool,
    **criteria: Any,
) -> None:
    """Lists artifacts, oldest first.

    TYPE is the name of their type (Model, Examples) or of a base type (mlmd.Dataset).

    Example: zentfx artifact list Model --unused-for 30d --larger-than 100MB
    """
    repository = store.open()
    listing = repository.list_artifact_versions(
        type=type,
        state=None if state == _ANY else state,
        marked=marked,
        exists=exists,
        older_than=older_than,
        unused_for=unused_for,
        larger_than=larger_than,
        **criteria,
    )
    notes = repository.workspace.reader.marked()
    found = [(item, notes.get(item.id)) for item in listing]
    sized = larger_than is not None  # looked at anyway
    if as_json:
        echo_json(
            [
                told_of_artifact(item) | {"marked": marks} | ({"size": item.size} if sized else {})
                for item, marks in found
            ]
        )
    elif found:
        rows = [
            [item.id, item.name, item.type, item.created, _state(item)]
            + ([size_text(item.size)] if sized else [])
            + [marks, item.uri]
            for item, marks in found
        ]
        titles = ["id", "name", "type", "created (UTC)", "state"]
        titles += [*(["size"] if sized else []), "marked", "uri"]
        echo_table(titles, rows, cut=("marked",), optional=("marked",))
    else:
        note("No artifacts yet, or none of these.")


def _state(item: ArtifactVersion) -> str:
    return f"{item.state}, files gone" if files_there(item) is False else item.state


@artifact.command()
@click.argument("artifact")
@json_option
@store_options
def describe(store: Store, artifact: str, as_json: bool) -> None:
    """Tells all that is known of an artifact, and of the step that wrote it.

    Example: zentfx artifact describe "Pipeline A::trainer::model"
    """
    told = _described(store.open().get_artifact_version(artifact))
    if as_json:
        echo_json(told)
    else:
        echo("\n".join(_lines(told)))


def _described(item: ArtifactVersion) -> dict[str, Any]:
    run, step = item.run, item.producer
    return {
        **told_of_artifact(item),
        "size": item.size,
        "last_used": item.last_used,
        "marks": [
            {
                "note": mark.note,
                "artifact": mark.artifact,
                "user": mark.user,
                "created": mark.created,
            }
            for mark in item.marks
        ],
        "metadata": dict(item.metadata),
        "run": None if run is None else told_of_run(run),
        "step": None if step is None else told_of_step(step),
    }


def _lines(told: dict[str, Any]) -> list[str]:
    exists = told["exists"]
    size = told["size"]
    pairs = [
        ("name", told["name"]),
        ("id", told["id"]),
        ("type", told["type"]),
        ("state", told["state"]),
        ("uri", told["uri"]),
        ("files", "gone" if exists is False else "there" if exists else "not on this machine"),
        ("size", size_text(size) + (f" ({size} bytes)" if size and size >= 1000 else "")),
        ("created", f"{shown(told['created'])} UTC"),
        ("last used", f"{shown(told['last_used'])} UTC"),
    ]
    for mark in told["marks"]:
        above = f", on {mark['artifact']}" if mark["artifact"] not in (None, told["id"]) else ""
        by = f" by {mark['user']}" if mark["user"] else ""
        pairs.append(("marked", f"{mark['note']} ({shown(mark['created'])} UTC{by}{above})"))
    run, step = told["run"], told["step"]
    if run is not None and step is not None:
        pairs += _pairs_of_producer(run, step)
    else:
        pairs.append(("step", "none wrote it"))
    lines = _aligned(pairs)
    if step is not None and step["parameters"]:
        lines += ["", "parameters", *_aligned(step["parameters"].items(), "  ")]
    metadata = {
        name: value
        for name, value in told["metadata"].items()
        if not name.startswith(("__", "zentfx_"))
    }
    if metadata:
        lines += ["", "metadata", *_aligned(metadata.items(), "  ")]
    return lines


def _pairs_of_producer(run: dict[str, Any], step: dict[str, Any]) -> list[tuple[str, Any]]:
    version = f", version {run['version']}" if run["version"] else ""
    of = f" of {run['pipeline']!r}{version}" if run["pipeline"] else ""
    pairs = [
        ("step", f"{step['name']} ({step['source']}), {step['status']}"),
        ("run", f"{run['id']}{of}, {run['status']}"),
        ("started", f"{shown(run['started'])} UTC"),
    ]
    if step["environment"]:
        versions = (f"{name} {version}" for name, version in step["environment"].items())
        pairs.append(("computed with", ", ".join(versions)))
    if step["inputs"]:
        inputs = (f"{name} {number}" for name, number in step["inputs"].items())
        pairs.append(("read", ", ".join(inputs)))
    return pairs


def _aligned(pairs: Iterable[tuple[str, Any]], indent: str = "") -> list[str]:
    named = [(printable(name), exact(value)) for name, value in pairs]
    width = max(len(name) for name, _ in named)
    return [f"{indent}{name:<{width}}  {text}".rstrip() for name, text in named]


@artifact.command()
@click.argument("first")
@click.argument("second")
@click.option("--all-values", is_flag=True, help="Also values that are the same.")
@json_option
@store_options
def compare(store: Store, first: str, second: str, all_values: bool, as_json: bool) -> None:
    """Puts two artifacts of one type side by side: what they are, and how they came to be.

    Example: zentfx artifact compare "Pipeline A::trainer::model" "Pipeline B::trainer::model"
    """
    repository = store.open()
    pair = [repository.get_artifact_version(item) for item in (first, second)]
    lines = repository.compare_artifacts(pair[0], pair[1], all_values=all_values)
    names = [item.id if as_json else f"{item.type} {item.id}" for item in pair]
    echo_differences(lines, names, all_values, as_json)


@artifact.command()
@click.argument("artifact")
@click.argument("note")
@click.option("--only-this", is_flag=True, help="Not what was made from it.")
@json_option
@repository_option
def mark(repository: Path | None, artifact: str, note: str, only_this: bool, as_json: bool) -> None:
    """Marks an artifact, for example as bad data, and all that was made from it.

    It shows in listings and graphs, and no step reuses it.

    Example: zentfx artifact mark "Pipeline A::datasource::examples" "half of the rows are missing"
    """
    item = Store(repository).open().get_artifact_version(artifact)
    item.mark(note, downstream=not only_this)
    made = next(mark for mark in reversed(item.marks) if mark.artifact == item.id)
    below = [number for number in made.artifacts if number != item.id]
    if as_json:
        echo_json({"artifact": item.id, "note": note, "artifacts": made.artifacts})
    else:
        more = f", and what was made from it: {', '.join(map(str, below))}" if below else ""
        echo(f"Marked {_named(item)}{more}.")


@artifact.command()
@click.argument("artifact")
@json_option
@repository_option
def unmark(repository: Path | None, artifact: str, as_json: bool) -> None:
    """Takes back the marks that were put on an artifact, and so on what was made from it.

    Example: zentfx artifact unmark "Pipeline A::datasource::examples"
    """
    item = Store(repository).open().get_artifact_version(artifact)
    own = [mark for mark in item.marks if mark.artifact in (item.id, None)]
    item.unmark()
    if as_json:
        echo_json({"artifact": item.id, "notes": [mark.note for mark in own]})
    else:
        notes = "; ".join(mark.note for mark in own)
        echo(f"Took back from {_named(item)}: {printable(notes)}")


def _named(item: ArtifactVersion) -> str:
    return printable(f"{item.type} {item.id} ({item.name})")
