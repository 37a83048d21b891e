"""What a Keras model is made of that is not Keras' own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from zentfx.errors import DataError

__all__ = ["own_parts"]

_KERAS = "keras"


def own_parts(model: Any) -> dict[str, Any]:
    """Finds the classes and functions of the user's own in a model.

    Args:
        model: A ``keras.Model``.

    Returns:
        Classes and functions by the names that Keras writes for them; empty for most models.

    Raises:
        DataError: If two have the same name, or Keras could not make the model again of them.
    """
    import keras

    # As it is in the file.
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    own: dict[str, Any] = {}
    for thing in _things(model):
        for name in (thing.__name__, keras.saving.get_registered_name(thing)):
            if own.setdefault(name, thing) is not thing:
                raise DataError(
                    f"Two parts of this {type(model).__name__} are called {name!r}, and Keras "
                    "could not tell them apart when it loads it. Rename one."
                )
    if not own and not _names_others(config):
        return {}
    try:
        keras.saving.deserialize_keras_object(config, custom_objects=dict(own))
    except Exception as error:  # whatever the user's classes raise
        raise DataError(
            f"Keras could not load this {type(model).__name__} again. A class of your own in it "
            "needs get_config(), which gives the arguments of its constructor, or a constructor "
            "that takes **kwargs; a function needs a name, which a lambda has not. Keras says: "
            f"{_shortened(str(error))}"
        ) from error
    return own


def _shortened(text: str) -> str:
    """Keras puts the whole configuration between what went wrong and why."""
    text = " ".join(text.split())
    return text if len(text) <= 600 else f"{text[:300]} … {text[-300:]}"


def _names_others(config: Any) -> bool:
    """Whether the configuration of a model names anything that is not Keras' own."""
    if isinstance(config, dict):
        if "class_name" in config and "config" in config:
            module = str(config.get("module") or "")
            if module.partition(".")[0] != _KERAS and config["class_name"] not in _PLAIN:
                return True
        return any(map(_names_others, config.values()))
    return isinstance(config, list) and any(map(_names_others, config))


# How Keras writes data that JSON has no form for.
_PLAIN = ("__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__tuple__", "__slice__")


def _things(model: Any) -> Iterator[Any]:
    """The user's own classes and functions, as far as they hang on a model's parts."""
    layers = model._flatten_layers(include_self=True, recursive=True)  # no public way reaches all
    compiled = getattr(model, "_compile_metrics", None)  # nor these
    waiting = [*layers, getattr(model, "loss", None), getattr(model, "optimizer", None)]
    waiting += [
        getattr(compiled, name, None) for name in ("_user_metrics", "_user_weighted_metrics")
    ]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, (list, tuple, set)):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, FunctionType):
            if _is_own(part):
                yield part
        elif hasattr(part, "get_config"):
            if _is_own(type(part)):
                yield type(part)
            waiting.extend(vars(part).values())


def _is_own(thing: Any) -> bool:
    return str(thing.__module__).partition(".")[0] not in (_KERAS, "tensorflow", "builtins")
