"""What part of its module a function depends on."""

import re

import pytest

from zentfx.source_code.module_parts import part_for

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


def registered(name):
    return REGISTRY[name]


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
    return part_for(text, name, users).text


class TestWhatIsKept:
    def test_names_are_followed_through_functions_defaults_and_annotations(self):
        kept = part("train")
        for line in ("def scale", "FACTOR = 3", "SHARE: float", "import numpy", "def train"):
            assert line in kept
        for line in ("def report", "class Config", "def halve", "def both", "__main__", "UNUSED"):
            assert line not in kept

    def test_what_may_have_an_effect_on_the_part_is_kept(self):
        kept = part("registered")
        assert "def handler" in kept  # its decorator is the user's, and changes the registry
        assert "def register" in kept
        assert "def handler" not in part("limited")  # which knows of no registry
        assert "class Loud" in part("report")  # its base is of a module that the step uses

    def test_what_is_imported_and_never_mentioned_is_kept_for_its_effect(self):
        for name in ("train", "report", "limited"):
            assert "import plugins" in part(name)

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

    def test_the_first_decorator_is_the_first_of_a_function(self):
        assert part("train").count("@step") == 1
        assert part("limited").count("@") == 0

    @pytest.mark.parametrize(
        ("name", "statement"),
        [
            ("train", "FACTOR += 1"),
            ("report", "Config.width = 5"),
            ("registered", "REGISTRY['a'] = 1"),
            ("registered", "REGISTRY.update(a=1)"),
            ("registered", "_ = REGISTRY | {}"),
            ("registered", "value: int = REGISTRY.setdefault('a', 1)"),
            ("registered", "value: note(REGISTRY) = 1"),
            ("registered", "_ = operator.setitem(REGISTRY, 'a', 1)"),
            ("registered", "value = register(scale)"),
            ("registered", "value = [register(item) for item in (scale, halve)]"),
            ("registered", "value = max([1], key=register)"),
            ("registered", "value = functools.reduce(register, [scale])"),
            ("registered", "class Noting:\n    value = register(scale)"),
            ("registered", "@functools.partial(register)\ndef late(): pass"),
            ("registered", "def late(x=register(scale)):\n    pass"),
            ("registered", "def late():\n    REGISTRY.clear()\nlate()"),
            ("registered", "if FACTOR:\n    register(scale)"),
            ("registered", "if register(scale):\n    OTHER_ONE = 1"),
            ("registered", "try:\n    register(scale)\nexcept ValueError:\n    pass"),
            ("registered", "both(register(scale))"),
            ("registered", "@pipeline\ndef third():\n    register(scale)\nthird()"),
            ("registered", "if __name__ == '__main__':\n    REGISTRY['a'] = 1\n    both()"),
            ("registered", "if __name__ == '__main__':\n    both()\nelse:\n    REGISTRY['a'] = 1"),
            ("train", "for number in range(3):\n    FACTOR = number"),
            ("train", "with open('x') as file:\n    FACTOR = file.read()"),
            ("train", "del FACTOR"),
            ("train", "np.random.seed(0)"),
            ("train", "_ = np.random.seed(0)"),
            ("report", "helpers.configure(1)"),
            ("report", "class Made(metaclass=helpers.Meta):\n    pass"),
            ("report", "from helpers import thing\nthing()"),
            ("train", "class Saves(BaseMaterializer):\n    pass"),
            ("train", "class Saves(zentfx.materializers.tables.DataFrameMaterializer):\n    pass"),
            ("train", "from zentfx import BaseMaterializer as B\nclass Saves(B):\n    pass"),
        ],
    )
    def test_statements_that_may_change_the_part_are_kept(self, name, statement):
        more = "import operator, zentfx\nfrom zentfx import BaseMaterializer\ndef note(x): pass\n"
        text = MODULE.replace("import functools\n", f"import functools\n{more}")
        before, after = part(name, text), part(name, f"{text}\n{statement}\n")
        assert after != before
        assert statement.splitlines()[-1].strip() in after

    @pytest.mark.parametrize(
        "statement",
        [
            "both()",
            "run = both()",
            "'a text'",
            "NUMBERS = [1, 2 * 3, 'a']",
            "class Plain:\n    x = 1",
            "from zentfx import BaseStep\nclass Made(BaseStep):\n    pass",
            "class Wrong(ValueError):\n    pass",
            "@functools.cache\ndef cached(x):\n    return x",
            "parser = argparse.ArgumentParser()\nparser.add_argument('--x')",
            "REGISTRY.clear()",
            "if True:\n    def conditional():\n        pass",
            "if __name__ == '__main__':\n    run = both()\n    print(run)",
            "def main():\n    print(both())\nmain()",
        ],
    )
    def test_statements_that_cannot_are_left_out(self, statement):
        text = MODULE.replace("import functools", "import functools, argparse")
        assert part("limited", f"{text}\n{statement}\n") == part("limited", text)


def result(text, name, *arguments):
    space = {"__name__": "zt_part"}
    exec(compile(text, "zt_part", "exec"), space)
    return space[name](*arguments)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("C = {}\ndef f(): return C.get('a')\ndef g(x): C['a'] = x\n_ = [g(1)]", "g(2)"),
        ("width = 3\nclass Config:\n    width = width\ndef f(): return Config.width", "width = 4"),
        (
            "C = {}\ndef hash(x): C['a'] = x\nvalue = hash(1)\ndef f(): return C['a']",
            "hash(2)",
        ),
        (
            "C = {}\ntry:\n    from zt_nowhere import setup\nexcept ImportError:\n"
            "    def setup(): C['a'] = 1\ndone = setup()\ndef f(): return C['a']",
            "C['a'] = 2",
        ),
        (
            "import random\n_ = random.seed(1)\ndef f(): return random.random()",
            "random.seed(2)",
        ),
        ("class R:\n    n = 1\ndef g(): return R\ng().n = 5\ndef f(): return R.n", "g().n = 6"),
    ],
)
def test_a_change_of_the_result_is_a_change_of_the_part(text, other):
    old = re.escape(other)
    for digit in "123456":
        old = old.replace(digit, "[0-9]")
    changed = re.sub(old, other, text)
    assert changed != text
    assert result(text, "f") != result(changed, "f")
    assert part("f", text) != part("f", changed)


def test_names_that_pandas_looks_up_are_names():
    text = (
        "LIMIT = 1\nOTHER = 2\ndef f(x):\n    return x.query('a > @LIMIT and b == \"me@there\"')\n"
    )
    assert "LIMIT = 1" in part("f", text)
    assert "OTHER" not in part("f", text)


def test_names_whose_values_are_computed_are_told():
    text = (
        "import sys\nA = 1\nB = len(sys.argv)\nfor C in range(3): pass\nD = sys.argv[0]\nE = 1\n"
        "def f(): return A, B, C, D\n"
    )
    assert part_for(text, "f", users).computed == {"B", "C", "D"}


class TestWhatCannotBeTold:
    @pytest.mark.parametrize(
        "text",
        [
            "from helpers import *\ndef f(x): return x",
            "def f(x): return unknown(x)",
            "def f(x): return eval(x)",
            "def g(): return globals()['h']()\ndef f(x): return g()",
            "def f(x):\n    exec('y = 1')\n    return y",
            "import sys\ndef f(x): return getattr(sys.modules[__name__], f'make_{x}')()",
            "if True:\n    from helpers import *\ndef f(x): return x",
        ],
    )
    def test_nothing_is_said(self, text):
        assert part("f", text) is None

    def test_python_s_own_names_are_known(self):
        text = "def f(x):\n    return len(x), __name__, __file__, ValueError"
        assert part("f", text) == f"{text}\n"


def test_the_part_is_source_text():
    for name in ("train", "report", "limited", "thresholded", "both"):
        compile(part(name), "part", "exec")


def test_several_statements_on_one_line_are_told_apart():
    text = "A = 1; B = 2\ndef f(): return A\ndef g(): return B\n"
    assert part("f", text) == "A = 1\ndef f(): return A\n"
    text = '"""A\ntext."""; R = 2\ndef f(): return R\n'
    assert part("f", text) == "R = 2\ndef f(): return R\n"


@pytest.mark.parametrize("odd", ["\f", "A = '\u2028'", "A = '\x1c'", "# \x85"])
def test_lines_end_where_python_says(odd):
    text = f"def g(): return 1\n{odd}\ndef f(): return 2\n"
    assert part("f", text) == "def f(): return 2\n"


def test_a_name_that_is_bound_twice_keeps_both():
    text = "A = 1\ndef f(): return A\nA = 2\n"
    assert part("f", text) == text
