"""Edits that change what a function step computes change its fingerprint; others do not.

Each case is a project of a few files, and an edit to one of them. In ``zt_main`` a step is called
``work``.
"""

import importlib
import sys
import textwrap

import pytest

from zentfx.errors import StepDefinitionError
from zentfx.source_code.identity import code_of

STEP = """
from zentfx import pipeline, step
"""


class Files:
    """A user's project, loaded anew after each edit."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, files):
        for name, text in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            text = textwrap.dedent(text)
            file.write_text(STEP + text if name.endswith("zt_main.py") else text, encoding="utf-8")
        self.forget()

    def edit(self, name, old, new):
        file = self.folder / name
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old)
        file.write_text(text.replace(old, new), encoding="utf-8")
        self.forget()

    def forget(self):
        for name in [name for name in sys.modules if name.startswith("zt_")]:
            del sys.modules[name]
        importlib.invalidate_caches()

    def fingerprint(self, module="zt_main"):
        return code_of(importlib.import_module(module).work.step_class).fingerprint


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # edits come within one second
    files = Files(tmp_path)
    yield files
    files.forget()


GLOBAL = """
    X = 0
    def setup(n):
        global X
        X = n
    {}
    @step
    def work() -> int:
        return X
"""
LATE = """
    {}
    @step
    def work() -> int:
        {}
"""
CONF = "import zt_conf\n    zt_conf.X = 1"
COUNTS = {
    # A global that a function sets.
    "a call that sets it": (GLOBAL.format("setup(1)"), "setup(1)", "setup(2)"),
    "in the main block": (
        GLOBAL.format('if __name__ != "":\n        setup(1)'),
        "setup(1)",
        "setup(2)",
    ),
    "through another function": (
        GLOBAL.format("def boot(n):\n        setup(n)\n    boot(1)"),
        "boot(1)",
        "boot(2)",
    ),
    "by a decorator": (
        """
        X = 0
        def setx(n):
            global X
            X = n
            return lambda function: function
        @setx(1)
        def other(): pass
        @step
        def work() -> int:
            return X
        """,
        "setx(1)",
        "setx(2)",
    ),
    "in place": (
        """
        X = 0
        def setup(n):
            global X
            X += n
        setup(1)
        @step
        def work() -> int:
            return X
        """,
        "setup(1)",
        "setup(2)",
    ),
    "by a loop": (
        """
        X = 0
        def setup(n):
            global X
            for X in range(n): pass
        setup(1)
        @step
        def work() -> int:
            return X
        """,
        "setup(1)",
        "setup(2)",
    ),
    # Packages that are imported where they are used.
    "an attribute of a module": (
        LATE.format(
            "import zt_conf\n    zt_conf.X = 1", "import zt_conf\n        return zt_conf.X"
        ),
        "zt_conf.X = 1",
        "zt_conf.X = 2",
    ),
    "of a module by another name": (
        LATE.format("import zt_conf\n    zt_conf.X = 1", "import zt_conf as c\n        return c.X"),
        "zt_conf.X = 1",
        "zt_conf.X = 2",
    ),
    "of a module, by what it has": (
        LATE.format(CONF, "from zt_conf import get\n        return get()"),
        "zt_conf.X = 1",
        "zt_conf.X = 2",
    ),
    "of a module that a helper imports": (
        """
        import zt_conf
        zt_conf.X = 1
        def helper():
            from zt_conf import get
            return get()
        @step
        def work() -> int:
            return helper()
        """,
        "zt_conf.X = 1",
        "zt_conf.X = 2",
    ),
    "of a module that another module uses": (
        LATE.format(
            "import zt_conf\n    zt_conf.X = 1", "from zt_uses import f\n        return f()"
        ),
        "zt_conf.X = 1",
        "zt_conf.X = 2",
    ),
    "a seed": (
        LATE.format(
            "import random\n    random.seed(1)", "import random\n        return random.random()"
        ),
        "seed(1)",
        "seed(2)",
    ),
    "the environment": (
        LATE.format(
            "import os\n    os.environ['ZT'] = '1'",
            "import os\n        return int(os.environ['ZT'])",
        ),
        "= '1'",
        "= '2'",
    ),
    "a registry": (
        """
        from zt_registry import add
        @add
        def f(): return 1
        @step
        def work() -> int:
            from zt_registry import R
            return R["f"]()
        """,
        "def f(): return 1",
        "def f(): return 2",
    ),
    # Settings of the whole process.
    "a seed for what another module draws": (
        """
        import numpy as np
        SEED = 1
        np.random.seed(SEED)
        @step
        def work() -> int:
            from zt_draws import f
            return f()
        """,
        "SEED = 1",
        "SEED = 2",
    ),
    "the environment of another module": (
        """
        import os
        from zt_draws import g
        os.environ["ZT"] = "1"
        @step
        def work() -> int:
            return g()
        """,
        '= "1"',
        '= "2"',
    ),
    # What is kept on functions.
    "an attribute of a function": (
        "def g(): return g.n\ng.n = 1\n@step\ndef work() -> int: return g()\n",
        "g.n = 1",
        "g.n = 2",
    ),
    "that is set by a call": (
        "def g(): return g.n\nsetattr(g, 'n', 1)\n@step\ndef work() -> int: return g()\n",
        "'n', 1",
        "'n', 2",
    ),
    "that is changed": (
        "def g(): return g.l[0]\ng.l = []\ng.l.append(1)\n@step\ndef work() -> int: return g()\n",
        "append(1)",
        "append(2)",
    ),
    "defaults of a function": (
        "def g(n=0): return n\ng.__defaults__ = (1,)\n@step\ndef work() -> int: return g()\n",
        "(1,)",
        "(2,)",
    ),
    # A module that looks itself up.
    "by its name": (
        """
        def f(): return 1
        @step
        def work() -> int:
            import sys
            return sys.modules[__name__].f()
        """,
        "return 1",
        "return 2",
    ),
    "by the table of modules": (
        """
        import sys as system
        def f(): return 1
        @step
        def work() -> int:
            return getattr(system.modules["zt_main"], "f")()
        """,
        "return 1",
        "return 2",
    ),
    "by the globals of a function": (
        """
        def f(): return 1
        def other(): pass
        @step
        def work() -> int:
            return other.__globals__["f"]()
        """,
        "return 1",
        "return 2",
    ),
}
OTHERS = {
    "zt_conf.py": "X = 0\ndef get(): return X\n",
    "zt_uses.py": "import zt_conf\ndef f(): return zt_conf.get()\n",
    "zt_draws.py": """
        import os
        import numpy
        def f(): return int(numpy.random.randint(1000))
        def g(): return int(os.environ["ZT"])
    """,
    "zt_registry.py": "R = {}\ndef add(f):\n    R[f.__name__] = f\n    return f\n",
}


@pytest.mark.parametrize("case", COUNTS)
def test_an_edit_of_the_step_s_own_module_counts(files, case):
    text, old, new = COUNTS[case]
    files.write({"zt_main.py": text, **OTHERS})
    before = files.fingerprint()
    files.forget()
    assert files.fingerprint() == before
    files.edit("zt_main.py", old, new)
    assert files.fingerprint() != before


IMPORTS = {
    "a folder in a package": (
        "from zt_pkg.sub.leaf import f",
        {"zt_pkg/__init__.py": "", "zt_pkg/sub/leaf.py": "def f(): return 1\n"},
    ),
    "a folder in a folder": (
        "from zt_pkg.sub.leaf import f",
        {"zt_pkg/sub/leaf.py": "def f(): return 1\n"},
    ),
    "a list of all": (
        "from zt_all import leaf",
        {
            "zt_all.py": "from zt_plugs import *\n",
            "zt_plugs/__init__.py": "__all__ = ['leaf']\n",
            "zt_plugs/leaf.py": "def f(): return 1\n",
        },
    ),
    "a list of all in parts": (
        "from zt_all import leaf",
        {
            "zt_all.py": "from zt_plugs import *\n",
            "zt_plugs/__init__.py": "__all__: list = []\n__all__ += ['leaf']\n",
            "zt_plugs/leaf.py": "def f(): return 1\n",
        },
    ),
    "more folders of a package": (
        "from zt_pkg.leaf import f",
        {
            "zt_pkg/__init__.py": (
                "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
            ),
            "more/zt_pkg/__init__.py": "",
            "more/zt_pkg/leaf.py": "def f(): return 1\n",
        },
    ),
}


@pytest.mark.parametrize("of_a_class", [False, True])
@pytest.mark.parametrize("case", IMPORTS)
def test_an_edit_of_a_module_that_the_step_will_import_counts(files, case, of_a_class, monkeypatch):
    statement, others = IMPORTS[case]
    monkeypatch.setattr(sys, "path", [*sys.path, str(files.folder / "more")])
    made = f"@step\ndef work() -> int:\n    {statement}\n    return f()\n"
    if of_a_class:
        made = (
            "from zentfx import BaseStep\nclass Work(BaseStep):\n"
            f"    def process(self, inputs, outputs):\n        {statement}\n"
            "class work:\n    step_class = Work\n"
        )
    files.write({"zt_main.py": made, **others})
    before = files.fingerprint()
    [leaf] = [name for name in others if name.endswith("leaf.py")]
    files.edit(leaf, "return 1", "return 2")
    assert files.fingerprint() != before


def test_the_packages_that_a_module_is_in_count_without_what_they_import(files):
    files.write(
        {
            "zt_pkg/__init__.py": "from . import inner\n",
            "zt_pkg/other.py": "X = 1\n",
            "zt_pkg/inner/__init__.py": "from . import zt_main, beside\nzt_main.K = 1\n",
            "zt_pkg/inner/beside.py": "X = 1\n",
            "zt_pkg/inner/zt_main.py": "K = 0\n@step\ndef work() -> int:\n    return K\n",
        }
    )
    before = files.fingerprint("zt_pkg.inner.zt_main")
    files.edit("zt_pkg/inner/beside.py", "1", "2")
    assert files.fingerprint("zt_pkg.inner.zt_main") == before
    files.edit("zt_pkg/inner/__init__.py", "K = 1", "K = 2")
    inner = files.fingerprint("zt_pkg.inner.zt_main")
    assert inner != before
    files.edit("zt_pkg/__init__.py", "import inner", "import inner, other")
    assert files.fingerprint("zt_pkg.inner.zt_main") != inner


COMPUTED = {
    "a call on it": "V = {}\nV.update(json.load(open('c.json')))\n",
    "an entry of it": "V = {'n': 0}\nV['n'] = json.load(open('c.json'))['n']\n",
    "by a function": (
        "V = 0\ndef setup():\n    global V\n    V = json.load(open('c.json'))\nsetup()\n"
    ),
    "in a class": "class V:\n    n = json.load(open('c.json'))['n']\n",
    "on a class": "class V: pass\nV.n = json.load(open('c.json'))['n']\n",
    "a default": "def V(n=json.load(open('c.json'))['n']): return n\n",
}


@pytest.mark.parametrize("case", COMPUTED)
def test_plain_data_that_is_computed_at_loading_counts(files, case):
    text = f"import json\n{COMPUTED[case]}@step\ndef work() -> int:\n    return V\n"
    files.write({"zt_main.py": text, "c.json": '{"n": 1}'})
    before = files.fingerprint()
    files.forget()
    assert files.fingerprint() == before
    files.edit("c.json", "1", "2")
    assert files.fingerprint() != before


GIVEN = {
    "an argument": "V = sys.argv[1]",
    "a part of the arguments": "V = sys.argv[1:]",
    "one of two": "V = 'a' if sys.argv[1] == '1' else 'b'",
    "an entry": "V = {'lr': sys.argv[1]}",
    "a default": "def V(lr=sys.argv[1]): return lr",
    "what was parsed": "V = args",
    "what was parsed, as a dict": "V = vars(args)",
    "with something else in it": "V = vars(args)\nV['else'] = object()",
    "a list with something else in it": "V = [object(), args.lr]",
    "of an object": "class C:\n    def __init__(self, lr): self.lr = lr\nC = C(args.lr)\nV = C.lr",
    "a seed": "V = 0\nimport random\nrandom.seed(args.lr)",
}
ARGUMENTS = """
import argparse, pathlib, sys
parser = argparse.ArgumentParser()
parser.add_argument("lr")
parser.add_argument("--place", type=pathlib.Path, default="x")
args = parser.parse_args()
"""


@pytest.mark.parametrize("case", GIVEN)
def test_what_the_script_was_given_counts_where_it_is_used(files, case, monkeypatch):
    text = f"{ARGUMENTS}{GIVEN[case]}\n@step\ndef work() -> int:\n    return V\n"
    files.write({"zt_main.py": text})
    found = []
    for argument in ("1", "2", "1"):
        monkeypatch.setattr(sys, "argv", ["script", argument])
        files.forget()
        found.append(files.fingerprint())
    assert found[0] == found[2] != found[1]


def test_what_the_script_was_given_does_not_count_elsewhere(files, monkeypatch):
    text = f"{ARGUMENTS}V = vars(args)\n@step\ndef work() -> int:\n    return 1\n"
    files.write({"zt_main.py": text})
    found = set()
    for argument in ("1", "2"):
        monkeypatch.setattr(sys, "argv", ["script", argument])
        files.forget()
        found.add(files.fingerprint())
    assert len(found) == 1


LOOP = """
import argparse, os, time
import numpy as np

@step
def work() -> int:
    time.sleep(0)
    return int(np.zeros(os.cpu_count()).sum())

@step
def second() -> int:
    return 1

@pipeline
def both(n: int = 1):
    work()
    second()

HERE = os.path.dirname(os.path.abspath(__file__))
RUN = os.urandom(8).hex()
scores = []
found = []
for k in (1, 2, 3):
    started = time.time()
    scores.append(np.sqrt(k) + time.perf_counter())
    found.append(1)
DESCRIPTION = argparse.ArgumentParser(description="one")
"""


def test_what_a_loop_of_runs_sets_is_no_matter_of_the_step(files):
    files.write({"zt_main.py": LOOP})
    before = files.fingerprint()
    module = sys.modules["zt_main"]
    module.k, module.started, module.scores = 7, 8.0, [9.0]
    assert code_of(module.work.step_class).fingerprint == before
    files.forget()
    assert files.fingerprint() == before
    files.edit("zt_main.py", "    return 1\n", "    return 2\n")
    assert files.fingerprint() == before
    files.edit("zt_main.py", '"one"', '"two"')
    assert files.fingerprint() == before


def test_a_main_block_that_shares_a_package_brings_in_no_other_step(files):
    text = LOOP + "def main():\n    both(3)\n    print(np.mean([1]))\nmain()\n"
    files.write({"zt_main.py": text.replace("both(3)", "both.__name__")})
    before = files.fingerprint()
    files.edit("zt_main.py", "    return 1\n", "    return 2\n")
    assert files.fingerprint() == before


@pytest.mark.parametrize(
    "line",
    [
        "X = 1; \\\ny = 2",
        "Y = (lambda: 10**5000)()",
        "Y = {'a': pow(10, 5000)}",
        "class D(dict):\n    def items(self): raise ValueError\nY = D()",
        "class E(list):\n    def __iter__(self): raise KeyError\nY = E()",
        "Y = []\nY.append(Y)\nY.append(1)",
        "Y = {}\nfor _ in range(60): Y = {'x': Y}",
        "import sys\nclass O:\n    def __getattr__(self, n): raise RuntimeError\n"
        "sys.modules['zt_odd'] = O()\nimport zt_odd\nY = 1",
    ],
)
def test_odd_code_and_values_are_taken_as_they_are(files, line):
    files.write({"zt_main.py": f"{line}\n@step\ndef work() -> int:\n    return Y\n"})
    before = files.fingerprint()
    files.forget()
    assert files.fingerprint() == before


@pytest.mark.parametrize(
    "place",
    [
        "Path(__file__).parent",
        "Path(__file__).resolve().parents[1] / 'data'",
        "os.path.dirname(os.path.abspath(__file__))",
        "{'a': Path(__file__).parent / 'x.csv'}",
    ],
)
def test_another_checkout_has_the_same_fingerprint(tmp_path, monkeypatch, place):
    text = f"import os\nfrom pathlib import Path\nV = {place}\n"
    found = []
    for folder in ("one/src", "two/src"):
        files = Files(tmp_path / folder)
        monkeypatch.setattr(sys, "path", [str(files.folder), *sys.path])
        files.write({"zt_main.py": f"{text}@step\ndef work() -> int:\n    return V\n"})
        found.append(files.fingerprint())
        files.edit("zt_main.py", "V = ", "V = '/elsewhere' or ")
        assert files.fingerprint() != found[-1]
        files.forget()
    assert found[0] == found[1]


@pytest.mark.parametrize("content", [b"x = '\xff'", b"# coding: nonsense\n", b"x = 1\0"])
def test_a_module_that_cannot_be_read_is_named(files, content):
    files.write({"zt_main.py": "@step\ndef work() -> int:\n    import zt_bad\n    return 1\n"})
    (files.folder / "zt_bad.py").write_bytes(content)
    with pytest.raises(StepDefinitionError, match="The source of zt_bad cannot be"):
        files.fingerprint()


@pytest.fixture
def python_s_own_limit():
    """TensorFlow raises it."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


DEEP = {
    "a sum": "Y = " + " + ".join(["'a'"] * 1500) + "\n",
    "a chain": "def Y(x):\n    if x == 0: pass\n"
    + "".join(f"    elif x == {number}: pass\n" for number in range(900)),
}


@pytest.mark.parametrize("case", DEEP)
def test_what_is_nested_too_deeply_is_refused(files, case, python_s_own_limit):
    files.write({"zt_main.py": f"{DEEP[case]}@step\ndef work() -> int:\n    return Y\n"})
    with pytest.raises(StepDefinitionError, match="nested too deeply|cannot be parsed"):
        files.fingerprint()


MAIN = """
import argparse
import atexit
import logging
import os
import sys
import numpy as np
import zt_conf

sys.path.insert(0, os.getcwd())
logging.basicConfig(level="INFO")
np.random.seed(0)
PLACE = os.path.join("a", "b")
X = 1
OTHER = {}
HERE = [1]

def helper():
    import numpy
    return numpy.zeros(X)

def other():
    OTHER["a"] = 1
    return other.__doc__

@step
def work() -> int:
    return int(helper().sum())

@step
def second() -> int:
    return 1

@pipeline
def both(n: int = 1):
    work()
    second()

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--depth")
    print("one")

if __name__ == "__main__":
    main()
atexit.unregister(main)
zt_conf.get()
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"--depth"', '"--width"'),
        ('"INFO"', '"DEBUG"'),
        ("zt_conf.get()", "zt_conf.get(), 1"),
        ('os.path.join("a"', 'os.path.join("c"'),
        ('print("one")', 'print("two")'),
        ('OTHER["a"] = 1', 'OTHER["a"] = 2'),
        ("    return 1\n", "    return 2\n"),
        ("n: int = 1", "n: int = 2"),
        ("HERE = [1]", "HERE = [2]"),
        ("    second()\n", "    second()\n    second()\n"),
    ],
)
def test_other_edits_do_not(files, old, new):
    files.write({"zt_main.py": MAIN, **OTHERS})
    before = files.fingerprint()
    files.edit("zt_main.py", old, new)
    assert files.fingerprint() == before


OPTIONS = """
from zentfx import step as made
import zentfx as z

@made(retries=1)
def work() -> int:
    return 1

@z.step(
    name="one",  # as it is called in plots
    timeout=60 * 60,
)
def second() -> int:
    return 2

work = work.with_options(enable_cache=True)
again = work.with_options(retries=5)
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@made(retries=1)", "@made(retries=2, timeout=5)"),
        ("@made(retries=1)", "@made()"),
        ("@made(retries=1)", "@made"),
        ("enable_cache=True", "enable_cache=False"),
        ("work.with_options(enable_cache=True)", "work"),
    ],
)
def test_options_of_the_step_do_not(files, old, new):
    files.write({"zt_main.py": OPTIONS, **OTHERS})
    before = files.fingerprint()
    files.edit("zt_main.py", old, new)
    assert files.fingerprint() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("retries=1", "retries=2"),
        ('name="one",  # as it is called in plots\n', 'name="two",\n'),
        ("60 * 60", "30"),
        ("retries=5", "retries=6"),
    ],
)
def test_options_in_a_module_that_counts_whole_do_not(files, old, new):
    files.write(
        {
            "zt_main.py": "@step\ndef work() -> int:\n    import zt_steps\n    return 1\n",
            "zt_steps.py": OPTIONS,
            **OTHERS,
        }
    )
    before = files.fingerprint()
    files.edit("zt_steps.py", old, new)
    assert files.fingerprint() == before
    files.edit("zt_steps.py", "return 1", "return 3")
    assert files.fingerprint() != before


# What is called like zentfx's own, and may do anything.
NO_OPTIONS = {
    "another decorator": (
        "def made(n):\n    def wrap(function):\n        @step\n"
        "        def work() -> int: return function() * n\n        return work\n"
        "    return wrap\n@made(n=1)\ndef work() -> int:\n    return 1\n",
        "made(n=1)",
        "made(n=2)",
    ),
    "one of another package": (
        "from zt_conf import step\n@step(n=1)\ndef helper():\n    return 1\n"
        "from zentfx import step\n@step\ndef work() -> int:\n    return helper()\n",
        "step(n=1)",
        "step(n=2)",
    ),
    "beside the step's": (
        "import functools\ndef times(n):\n    def wrap(f):\n        @functools.wraps(f)\n"
        "        def g() -> int: return f() * n\n        return g\n    return wrap\n"
        "@step(retries=1)\n@times(n=1)\ndef work() -> int:\n    return 1\n",
        "times(n=1)",
        "times(n=2)",
    ),
    "of something that is no step": (
        "class Client:\n    def with_options(self, n): return n\nclient = Client()\n"
        "@step\ndef work() -> int:\n    return client.with_options(n=1)\n",
        "options(n=1)",
        "options(n=2)",
    ),
    "of a name that hides a step's": (
        "@step\ndef fit() -> int:\n    return 1\n"
        "@step\ndef work(fit=None) -> int:\n    return fit.with_options(n=1)\n",
        "options(n=1)",
        "options(n=2)",
    ),
    "with an effect": (
        "X = []\ndef note(n):\n    X.append(n)\n    return n\n"
        "@step(retries=note(1))\ndef work() -> int:\n    return X[0]\n",
        "note(1)",
        "note(2)",
    ),
}


@pytest.mark.parametrize("case", NO_OPTIONS)
def test_what_only_looks_like_options_counts(files, case):
    text, old, new = NO_OPTIONS[case]
    files.write({"zt_main.py": text, "zt_conf.py": "step = lambda n: lambda f: lambda: n\n"})
    before = files.fingerprint()
    files.edit("zt_main.py", old, new)
    assert files.fingerprint() != before
