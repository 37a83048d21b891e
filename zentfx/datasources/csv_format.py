"""How CSV files are written, and which files a path stands for."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

from zentfx.errors import DataNotFoundError
from zentfx.materializers.cells import MISSING_MARKERS

__all__ = ["CSVFormat", "csv_files", "pattern_of"]

_SUFFIXES = (".csv", ".csv.gz", ".csv.bz2", ".csv.zst")  # in lower or upper case


@dataclass(frozen=True)
class CSVFormat:
    """How to read CSV files; the attributes are arguments of :class:`zentfx.CSVDatasource`."""

    missing: tuple[str, ...] = MISSING_MARKERS
    separator: str = ","
    decimal: str = "."
    quote: str = '"'
    escape: str | None = None
    encoding: str = "utf-8-sig"  # by Python's own name of it; with or without its mark
    column_names: tuple[str, ...] | None = None
    skip_rows: int = 0


def csv_files(path: Path) -> list[Path]:
    """Lists the files that a path stands for.

    Args:
        path: A file, a folder with CSV files (``*.csv``, or compressed: ``*.csv.gz``,
            ``*.csv.bz2``, ``*.csv.zst``), or a pattern such as ``data/2024-*.csv``, in which ``**``
            is any number of folders.

    Returns:
        The files, sorted by name.

    Raises:
        DataNotFoundError: If there are none.
    """
    try:
        if path.is_dir():
            return _files_in(path)
        if path.exists():
            return [path]
    except OSError as error:  # a name that is too long, say
        raise DataNotFoundError(f"There is no file {path}: {error}") from error
    if glob.has_magic(str(path)):
        # Path.glob takes relative patterns only.
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]  # noqa: PTH207
        files = sorted(file for file in found if not file.is_dir())
        if not files:
            raise DataNotFoundError(f"No file matches the pattern {path}.")
        return files
    raise DataNotFoundError(
        f"There is no file {path}. A relative path starts from the working directory; "
        f"that is {Path.cwd()} now."
    )


def _files_in(folder: Path) -> list[Path]:
    """The CSV files in a folder, but for hidden ones. A broken link is listed: reading it fails."""
    files = sorted(
        file
        for file in folder.iterdir()
        if file.name.lower().endswith(_SUFFIXES)
        and not file.name.startswith(".")
        and not file.is_dir()
    )
    if not files:
        raise DataNotFoundError(f"The folder {folder} has no *.csv or *.csv.gz files.")
    return files


def pattern_of(path: Path) -> tuple[Path, str]:
    """Splits a path into a folder and a pattern within it, as TFX's components name inputs.

    Args:
        path: As for :func:`csv_files`.

    Returns:
        The folder and the pattern.
    """
    if path.is_dir():
        return path, "*.csv*"
    folder = path.parent
    while not path.exists() and glob.has_magic(str(folder)):
        folder = folder.parent
    return folder, str(path.relative_to(folder))
