"""Groups of commands whose modules are imported when a command is called, and not before."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from zentfx.errors import near_matches

__all__ = ["LazyGroup", "Place"]

_LONGEST = 200  # characters of the first sentence of a command's help


class Place(NamedTuple):
    """Where a command is.

    Attributes:
        module: Its module; the command is called there as on the command line.
        help: What ``--help`` of the group says of it: the first sentence of its own help.
    """

    module: str
    help: str


class LazyGroup(click.Group):
    """A group of commands, those of ``places`` imported when they are called.

    Args:
        *args: See :class:`click.Group`.
        places: Where commands are, by name.
        **kwargs: See :class:`click.Group`.
    """

    def __init__(
        self, *args: Any, places: Mapping[str, Place] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._places = dict(places or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, sorted."""
        return sorted({*super().list_commands(ctx), *self._places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; imports it."""
        if cmd_name not in self._places:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(self._places[cmd_name].module)
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it; a name that misses is told what is near."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            error.message += near_matches(args[0], self.list_commands(ctx))
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands, without a look at those that are not imported."""
        rows = []
        for name in self.list_commands(ctx):
            if name in self._places:
                rows.append((name, self._places[name].help))
            elif command := self.get_command(ctx, name):
                rows.append((name, command.get_short_help_str(limit=_LONGEST)))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
