"""Every error that zentfx raises on purpose.

The tree::

    ZenTFXError
    ├── ParameterError (ValueError)         a step's argument
    │   ├── ParameterTypeError (TypeError)      has a type that it may not have
    │   └── UnknownParameterError (TypeError)   has a name that no constructor declares
    ├── StepDefinitionError (TypeError)     a step class that can never work
    ├── PipelineError (ValueError)          a pipeline that cannot run as it is
    │   └── PipelineFrozenError (TypeError)     a change to a pipeline that has run
    ├── DataError (ValueError)              input data: missing, empty, or not what the steps need
    │   ├── DataNotFoundError (FileNotFoundError)
    │   └── DataTypeError (TypeError)           a value that is not what a function step declares
    ├── TrainingError (ArithmeticError)     a model cannot be trained so: its loss is not finite
    ├── ConfigError (ValueError)            a YAML or config file, with its file and line
    ├── NotFoundError (KeyError)            a look-up that misses; names near matches
    ├── StoreError (OSError)                a store that is unreachable or damaged
    │   ├── ForeignStoreError (ValueError)      a file that is no store of a kind that we know
    │   └── StoreMismatchError                  a metadata store that the artifacts do not belong to
    ├── MissingDependencyError (ImportError)  a package that this call needs; names the extra
    └── StepFailedError (RuntimeError)      a step raised while it ran

``ZenTFXWarning``, a ``UserWarning``: something goes on, but perhaps not as its user means it.

Messages say what was expected, what came, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = [
    "ConfigError",
    "DataError",
    "DataNotFoundError",
    "DataTypeError",
    "ForeignStoreError",
    "MissingDependencyError",
    "NotFoundError",
    "ParameterError",
    "ParameterTypeError",
    "PipelineError",
    "PipelineFrozenError",
    "StepDefinitionError",
    "StepFailedError",
    "StoreError",
    "StoreMismatchError",
    "TrainingError",
    "UnknownParameterError",
    "ZenTFXError",
    "ZenTFXWarning",
    "near_matches",
]


class ZenTFXError(Exception):
    """The root: ``except ZenTFXError`` catches all that this package raises on purpose."""


class ZenTFXWarning(UserWarning):
    """What goes on is perhaps not what the user means."""


class ParameterError(ZenTFXError, ValueError):
    """An argument of a step cannot be used."""


class ParameterTypeError(ParameterError, TypeError):
    """An argument has a type that cannot be recorded, or not the one that was declared."""


class UnknownParameterError(ParameterError, TypeError):
    """A keyword that no constructor of the step's class declares."""


class StepDefinitionError(ZenTFXError, TypeError):
    """A step class is written in a way that can never work."""


class PipelineError(ZenTFXError, ValueError):
    """A pipeline cannot run as it is put together.

    Attributes:
        part: The part of the pipeline that is wrong, as keys of its YAML below ``steps``: a step's
            name, or that and ``inputs`` and the input's name; empty where it is the whole.
    """

    def __init__(self, message: str, *, part: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.part = tuple(part)


class PipelineFrozenError(PipelineError, TypeError):
    """A pipeline that has run was about to be changed."""


class DataError(ZenTFXError, ValueError):
    """Input data is not what the steps of a pipeline need."""


class DataNotFoundError(DataError, FileNotFoundError):
    """An input file or folder does not exist."""


class DataTypeError(DataError, TypeError):
    """What a function step got, or returned, is not of the type that it declares."""


class TrainingError(ZenTFXError, ArithmeticError):
    """A model cannot be trained so: its loss is not a finite number."""


class ConfigError(ZenTFXError, ValueError):
    """A YAML or configuration file cannot be used."""


class NotFoundError(ZenTFXError, KeyError):
    """A look-up by name or id found nothing."""

    # KeyError prints the repr of its argument; a sentence reads better without quotes.
    __str__ = Exception.__str__


class StoreError(ZenTFXError, OSError):
    """A metadata or artifact store is unreachable or damaged."""


class ForeignStoreError(StoreError, ValueError):
    """A file stands where a store is expected, but it is none, or one of another version."""


class StoreMismatchError(StoreError):
    """A metadata store is not the one that the artifacts beside it belong to."""


class MissingDependencyError(ZenTFXError, ImportError):
    """A package is needed that is not installed."""


class StepFailedError(ZenTFXError, RuntimeError):
    """A step raised while it ran; the original exception is this one's ``__cause__``.

    Attributes:
        run_id: Id of the run, which is recorded as failed.
        step: Name of the step that raised.
    """

    def __init__(self, message: str, *, run_id: str = "", step: str = "") -> None:
        super().__init__(message)
        self.run_id = run_id
        self.step = step


def near_matches(name: str, known: Iterable[str]) -> str:
    """Returns the sentence that ends a message about an unknown name.

    Args:
        name: What was asked for.
        known: What there is.

    Returns:
        ``" Did you mean 'x'?"`` where something is close, else a list of what there is.
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f" Did you mean {' or '.join(map(repr, close))}?"
    if not names:
        return " There are none."
    shown = ", ".join(map(repr, names[:10]))
    return f" There {'is' if len(names) == 1 else 'are'} {shown}{', …' if len(names) > 10 else ''}."
