"""What part of its module a function depends on."""

import textwrap

import pytest

from zentfx.module_parts import part_for

MODULE = '''
"""A module of steps."""
from __future__ import annotations

import functools
import helpers
import plugins
import numpy as np
from helpers import cleaned as clean
from zentfx import pipeline, step

FACTOR = 3
SHARE: float = 0.5
UNUSED, OTHER = 1, 2
REGISTRY = {}


def register(function):
    REGISTRY[function.__name__] = function
    return function


@register
def handler(x):
    return x + 1


class Config:
    width = OTHER


class Loud(helpers.Base):
    pass


def scale(x):
    return x * FACTOR


@functools.lru_cache
def halve(x):
    return x / 2


@step
def train(data, lr: float = SHARE):
    def inner(y):
        return scale(y) + np.pi
    return inner(data) * lr


@step
def report(data):
    print(Config.width)
    return clean(data)


if FACTOR > 2:
    LIMIT = 10
else:
    LIMIT = 20

try:
    import fast
except ImportError:
    fast = None


def limited(x):
    return min(x, LIMIT), fast


def reset():
    global LIMIT
    LIMIT = 0


@pipeline
def both():
    report(train(1))


if __name__ == "__main__":
    both()
    THRESHOLD = 7


def thresholded(x):
    return x > THRESHOLD
'''


def users(name):
    return name in ("helpers", "plugins")


def part(name, text=MODULE):
    return part_for(text, name, users)


class TestWhatIsKept:
    def test_names_are_followed_through_functions_defaults_and_annotations(self):
        kept = part("train")
        for line in ("def scale", "FACTOR = 3", "SHARE: float", "import numpy", "def train"):
            assert line in kept
        for line in ("def report", "class Config", "def halve", "def both", "__main__", "UNUSED"):
            assert line not in kept

    def test_what_may_have_an_effect_on_others_is_always_kept(self):
        kept = part("train")
        assert "def handler" in kept  # its decorator is the user's
        assert "REGISTRY = {}" in kept
        assert "class Loud" in kept  # its base is the user's, and hears of its subclasses
        assert "import plugins" in kept  # nobody mentions it: it is there for its effect

    def test_a_part_of_a_tuple_keeps_the_statement(self):
        assert "UNUSED, OTHER = 1, 2" in part("report")

    def test_conditions_and_globals_that_are_set_elsewhere_are_kept(self):
        kept = part("limited")
        assert "LIMIT = 20" in kept
        assert "def reset" in kept
        assert "fast = None" in kept

    def test_what_a_script_sets_when_it_is_run_is_kept_where_it_is_read(self):
        assert "THRESHOLD = 7" in part("thresholded")
        assert "THRESHOLD" not in part("train")

    def test_the_last_line_of_decorators_is_the_first_of_a_function(self):
        assert part("train").count("@step") == 1
        assert part("report").count("@step") == 1

    @pytest.mark.parametrize(
        "statement",
        [
            "FACTOR += 1",
            "Config.width = 5",
            "REGISTRY['a'] = 1",
            "REGISTRY.update(a=1)",
            "del FACTOR",
            "for number in range(3):\n    FACTOR = number",
            "with open('x') as file:\n    FACTOR = file.read()",
            "assert FACTOR",
            "print(register(scale))",
            "both(register(scale))",
            "@helpers.noted\nclass Noted:\n    pass",
            "class Made(metaclass=helpers.Meta):\n    pass",
            "class Saves(BaseMaterializer):\n    pass",
            "if FACTOR:\n    register(scale)",
            "value = register(scale)",
            "value = helpers.cleaned(1)",
            "value: int = REGISTRY.setdefault('a', 1)",
            "value = [register(item) for item in (scale, halve)]",
            "value = setattr(Config, 'width', 5)",
            "class Noting:\n    value = register(scale)",
            "def late(x=register(scale)):\n    pass",
            "try:\n    register(scale)\nexcept ValueError:\n    pass",
        ],
    )
    def test_statements_with_effects_are_always_kept(self, statement):
        text = MODULE.replace("import plugins", "from zentfx import BaseMaterializer")
        assert statement.splitlines()[-1] in part("train", f"{text}\n{statement}\n")

    @pytest.mark.parametrize(
        "statement",
        [
            "both()",
            "run = both()",
            "'a text'",
            "class Plain:\n    x = 1",
            "class Wrong(ValueError):\n    pass",
            "class Trainer(step):\n    pass",
            "@functools.cache\ndef cached(x):\n    return x",
            "value = np.arange(3)",
            "value = dict(a=[len('abc')])",
            "class Has:\n    @property\n    def a(self):\n        return register(1)",
            "if True:\n    def conditional():\n        pass",
        ],
    )
    def test_other_statements_are_left_out(self, statement):
        kept = part("train", f"{MODULE}\n{statement}\n")
        assert kept == part("train")


class TestWhatCannotBeTold:
    @pytest.mark.parametrize(
        "text",
        [
            "from helpers import *\ndef f(x): return x",
            "def f(x): return unknown(x)",
            "def f(x): return eval(x)",
            "def g(): return globals()['h']()\ndef f(x): return g()",
            "def h(x): return x",
            "def f(x):\n    exec('y = 1')\n    return y",
        ],
    )
    def test_nothing_is_said(self, text):
        assert part("f", text) is None

    def test_python_s_own_names_are_known(self):
        text = "def f(x):\n    return len(x), __name__, __file__, ValueError"
        assert part("f", text) == text


def test_the_part_is_source_text():
    for name in ("train", "report", "limited", "thresholded", "both"):
        compile(part(name), "part", "exec")


def test_several_statements_on_one_line_are_kept_together():
    text = textwrap.dedent(
        """
        A = 1; B = 2
        def f(): return A
        def g(): return B
        """
    )
    assert part("f", text) == "A = 1; B = 2\ndef f(): return A\n"


def test_a_name_that_is_bound_twice_keeps_both():
    text = "A = 1\ndef f(): return A\nA = 2\n"
    assert part("f", text) == text
