"""Writes the component specs of the installed TFX as data; see the package's docstring."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from zentfx.tfx_backend.specs import tfx_line

COMPONENTS = (
    "CsvExampleGen",
    "Evaluator",
    "ExampleValidator",
    "Pusher",
    "SchemaGen",
    "StatisticsGen",
    "Trainer",
    "Transform",
)


def stock_data() -> dict[str, Any]:
    """Reads the specs of the installed TFX; loads all of it."""
    from tfx import components
    from tfx.dsl.components.base import base_beam_component

    data = {}
    for name in COMPONENTS:
        component = getattr(components, name)
        spec = component.SPEC_CLASS
        annotation = spec.TYPE_ANNOTATION
        data[name] = {
            "base_type": annotation.__name__ if annotation else "",
            "beam": issubclass(component, base_beam_component.BaseBeamComponent),
            "parameters": {
                key: [
                    item.type.__name__ if item.type in (int, float, bool) else "str",
                    item.optional,
                ]
                for key, item in spec.PARAMETERS.items()
            },
            "inputs": {k: [i.type.TYPE_NAME, i.optional] for k, i in spec.INPUTS.items()},
            "outputs": {k: [o.type.TYPE_NAME, o.optional] for k, o in spec.OUTPUTS.items()},
        }
    return data


def main() -> None:
    """Writes the file of the installed line beside this module."""
    target = Path(__file__).with_name(f"tfx-{tfx_line()}.json")
    target.write_text(json.dumps(stock_data(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"wrote {target}\n")


if __name__ == "__main__":
    main()
