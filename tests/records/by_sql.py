"""A store that is read by SQL in a process that has it open, as no program does."""

import sqlite3
from contextlib import closing, contextmanager


class BySql:
    """Only where nothing else writes to the store.

    Read-only: a connection that may write takes the write-ahead log with it when it is closed, and
    with it all that MLMD writes from then on. That is what the package's guard is there for.
    """

    def __init__(self, path):
        self.path = path

    @contextmanager
    def reading(self):
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as database:
            yield database
