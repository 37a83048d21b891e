"""Splits of a dataset, by which rows go to training and which to evaluation."""

from __future__ import annotations

import hashlib
import math
from abc import abstractmethod
from types import MappingProxyType

from zentfx.errors import ParameterError
from zentfx.materializers.examples import canonical_record
from zentfx.names import check_length
from zentfx.steps.base import BaseStep

__all__ = ["RandomSplit", "SplitStep"]


class SplitStep(BaseStep):
    """Sends every row of a dataset to one split; runs on Beam.

    Subclasses say which splits there are and where a row goes.
    """

    wraps = "zentfx.Split"
    inputs = MappingProxyType({"examples": "Examples"})
    outputs = MappingProxyType({"split_examples": "Examples"})

    @property
    @abstractmethod
    def split_names(self) -> list[str]:
        """The splits, in the order of the numbers that :meth:`assign` returns."""

    @abstractmethod
    def assign(self, record: bytes) -> int:
        """Says where one row goes. It runs in Beam's workers.

        Args:
            record: A serialized ``tf.train.Example``.

        Returns:
            The index of its split in :attr:`split_names`.
        """

    def check(self) -> None:
        """Checks that the splits' names can be those of folders."""
        super().check()
        for name in self.split_names:
            if not isinstance(name, str) or not name.isidentifier():
                raise ParameterError(
                    f"{type(self).__name__}: names of splits have letters, digits and '_' only; "
                    f"got {name!r}."
                )
            check_length(name, f"{type(self).__name__}: the name of a split", beside=len("Split-"))


class RandomSplit(SplitStep):
    """Splits at random, by a hash of each row and a seed.

    A row's split depends on nothing but the row and the seed: not on the order of rows, on Beam's
    workers or on other rows. Equal rows fall into the same split, so none leaks from training into
    evaluation. Shares are met approximately: of n rows, to about ``sqrt(share * (1 - share) * n)``.

    Args:
        split_map: Share of each split by name. The shares add up to 1.
        seed: Another seed gives another split.
    """

    def __init__(self, split_map: dict[str, float], seed: int = 0) -> None:
        self.split_map = split_map
        self.seed = seed

    def check(self) -> None:
        """Checks the seed, and that the shares are positive and add up to 1."""
        super().check()
        if not self.split_map:
            raise self.refuse("split_map", "needs at least one split; {} came.")
        for name, share in self.split_map.items():
            if share <= 0:
                raise self.refuse("split_map", f"needs positive shares; {name}: {share!r} came.")
        if not -(2**63) <= self.seed < 2**63:
            raise self.refuse("seed", f"must be an integer of 64 bits; {self.seed!r} came.")
        total = math.fsum(self.split_map.values())
        if not math.isclose(total, 1, abs_tol=1e-6):
            raise self.refuse(
                "split_map", f"must add up to 1; {self.split_map!r} adds up to {total:g}."
            )

    @property
    def split_names(self) -> list[str]:
        """The names in ``split_map``, sorted: their order there does not count."""
        return sorted(self.split_map)

    def assign(self, record: bytes) -> int:
        """Hashes the row; see :meth:`SplitStep.assign`."""
        key = str(self.seed).encode()
        digest = hashlib.blake2b(canonical_record(record), digest_size=8, key=key).digest()
        position = int.from_bytes(digest, "big") / 2**64
        bound = 0.0
        for index, name in enumerate(self.split_names):
            bound += self.split_map[name]
            if position < bound:
                return index
        return len(self.split_map) - 1  # rounding left a gap below 1
