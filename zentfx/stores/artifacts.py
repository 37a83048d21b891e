"""The artifact store: a folder with the files of artifacts."""

from __future__ import annotations

import os
from pathlib import Path

from zentfx.stores.files import flush_to_disk, write_whole
from zentfx.stores.manifests import manifest_name, manifest_of

__all__ = ["ArtifactStore"]


class ArtifactStore:
    """A local folder.

    Layout: ``runs/<run id>/…`` holds what steps wrote (TFX's pipeline root of that run);
    ``sources/<digest>.json`` the source text of steps, ``pipelines/<digest>.yaml`` pipelines,
    ``manifests/<digest>.json`` the files that an artifact had when it was published.

    Args:
        path: The folder, which need not exist yet.
        durable: Whether files are on the disk before they are recorded. If not, a power cut may
            leave artifacts that are recorded and empty.
    """

    def __init__(self, path: Path, durable: bool = True) -> None:
        self._path = path
        self._durable = durable
        self._inside = f"{path}/"
        self._layout = f"/{path.parent.name}/{path.name}/"
        # What has come along is asked for once: it is not brought back when it is deleted.
        self._here: set[str] = set()

    @property
    def path(self) -> str:
        """The folder, as a string that ``os.path`` and ``fsspec`` take."""
        return str(self._path)

    def located(self, uri: str) -> str:
        """Where files are now that were recorded in a store of this layout, be it moved since.

        What MLMD has is never changed: it is part of the cache keys of what was made from it.

        Args:
            uri: Where they were when they were recorded.

        Returns:
            Their place in this store, if the run's folder that they were in, or the folder that was
            registered, is here; else the uri as it is.
        """
        if uri.startswith(self._inside) or "://" in uri:
            return uri
        _, found, below = uri.rpartition(self._layout)
        if not found or not below:
            return uri
        entry = "/".join(below.split("/", 2)[:2])
        if entry not in self._here:
            if not os.path.exists(f"{self._inside}{entry}"):  # noqa: PTH110 - asked for thousands
                return uri
            self._here.add(entry)
        return f"{self._inside}{below}"

    def run_folder(self, run_id: str) -> Path:
        """The folder that the steps of a run write to."""
        return self._path / "runs" / run_id

    def keep_text(self, kind: str, name: str, text: str) -> str:
        """Keeps a text once under a name that is a digest of what it stands for.

        Args:
            kind: ``sources``, ``pipelines`` or ``manifests``.
            name: The file's name.
            text: The content.

        Returns:
            The file's uri.
        """
        target = self._path / kind / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            # Another process may be keeping the same text.
            write_whole(target, text, self._durable)
        return str(target)

    def keep_manifest(self, folder: Path) -> str:
        """Keeps the list of the files that an artifact has now, before it is published.

        Args:
            folder: The artifact's folder, or its one file.

        Returns:
            The manifest's name.

        Raises:
            OSError: If the files cannot be written to the disk.
        """
        if self._durable and folder.exists():
            flush_to_disk(folder, self._path)
        manifest = manifest_of(folder)
        key = manifest_name(manifest)
        self.keep_text("manifests", f"{key}.json", manifest)
        return key

    def read_text(self, kind: str, name: str) -> str | None:
        """Reads a text that was kept.

        Args:
            kind: ``sources``, ``pipelines`` or ``manifests``.
            name: The file's name.

        Returns:
            The text, or None where none was kept.
        """
        target = self._path / kind / name
        return target.read_text(encoding="utf-8") if target.is_file() else None
