"""Functions of modules and of compiled texts."""

from zentfx.source_code.functions import instructions, instructions_by_name, unwrapped


def test_what_makes_up_attributes_is_left_as_it_is():
    from unittest.mock import MagicMock, call

    assert unwrapped(call) is call
    mock = MagicMock()
    assert unwrapped(mock) is not None
    assert unwrapped(5) == 5


def test_of_functions_of_one_name_all_are_found():
    text = """
if True:
    class X:
        def f(self): return 1
else:
    class X:
        def f(self): return 2
"""
    space = {}
    code = compile(text, "text", "exec")
    exec(code, space)
    found = instructions_by_name(code)
    assert set(found) == {"X", "X.f"}
    assert len(found["X.f"]) == 2
    assert instructions(space["X"].f.__code__) in found["X.f"]
