"""Which modules are the user's own, and where their files are, be they imported or not."""

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec

import pytest

from zentfx.source_code.project_files import is_users_file, is_users_package, project_file


def test_files_of_python_packages_and_zentfx_are_not_the_users():
    import json

    import yaml

    import zentfx

    for module in (json, yaml, zentfx):
        assert not is_users_file(module.__file__)
    assert is_users_file(__file__)
    assert not is_users_file("<frozen importlib._bootstrap>")
    assert not is_users_file("<string>")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder that Python imports from."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("zt_"):
            del sys.modules[name]


def write(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("X = 1\n", encoding="utf-8")
    importlib.invalidate_caches()


class TestProjectFile:
    @pytest.mark.parametrize("loaded", [False, True])
    @pytest.mark.parametrize(
        "files",
        [
            ["zt_p/__init__.py", "zt_p/sub/__init__.py", "zt_p/sub/leaf.py"],
            ["zt_p/__init__.py", "zt_p/sub/leaf.py"],  # a folder in a package
            ["zt_p/sub/__init__.py", "zt_p/sub/leaf.py"],  # a package in a folder
            ["zt_p/sub/leaf.py"],
        ],
    )
    def test_of_a_module_below_packages_and_folders(self, project, files, loaded):
        write(project, *files)
        if loaded:
            importlib.import_module("zt_p")
        assert project_file("zt_p.sub.leaf") == project / "zt_p/sub/leaf.py"
        assert project_file("zt_p.sub.leaf.X") is None
        assert project_file("zt_p.other.leaf") is None
        assert loaded == ("zt_p" in sys.modules)
        importlib.import_module("zt_p.sub.leaf")
        assert project_file("zt_p.sub.leaf") == project / "zt_p/sub/leaf.py"

    def test_of_a_package_in_several_folders(self, project, tmp_path_factory, monkeypatch):
        other = tmp_path_factory.mktemp("other")
        monkeypatch.syspath_prepend(str(other))
        write(project, "zt_n/one/leaf.py")
        write(other, "zt_n/one/twig.py", "zt_n/two.py")
        assert project_file("zt_n.one.leaf") == project / "zt_n/one/leaf.py"
        assert project_file("zt_n.one.twig") == other / "zt_n/one/twig.py"
        assert project_file("zt_n.two") == other / "zt_n/two.py"

    def test_of_a_package_that_looks_in_more_folders(self, project, tmp_path_factory):
        other = tmp_path_factory.mktemp("other")
        write(project, "zt_p/__init__.py")
        write(other, "leaf.py")
        importlib.import_module("zt_p").__path__.append(str(other))
        assert project_file("zt_p.leaf") == other / "leaf.py"

    def test_of_a_package_that_only_a_finder_of_its_own_finds(self, tmp_path, monkeypatch):
        """As those that are installed to be edited in their folder."""
        write(tmp_path, "zt_edited/__init__.py", "zt_edited/leaf.py")

        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name != "zt_edited":
                    return None
                file = tmp_path / "zt_edited/__init__.py"
                return importlib.util.spec_from_file_location(name, file)

        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
        assert project_file("zt_edited") == tmp_path / "zt_edited/__init__.py"
        assert project_file("zt_edited.leaf") == tmp_path / "zt_edited/leaf.py"
        assert is_users_package("zt_edited")

    def test_of_nothing(self, project):
        write(project, "zt_plain.py")
        for name in ("zt_plain.leaf", "zt_none", "json", "json.decoder", "yaml.nodes", "zentfx"):
            assert project_file(name) is None, name
        importlib.import_module("zt_plain")
        assert project_file("zt_plain.leaf") is None

    def test_what_makes_up_attributes_is_not_asked(self, project):
        (project / "zt_junk.py").write_text("def __getattr__(name): return 5\n", encoding="utf-8")
        importlib.import_module("zt_junk")
        assert project_file("zt_junk.host") is None
        sys.modules["zt_object"] = object()
        assert project_file("zt_object.host") is None

    def test_a_module_without_a_spec_is_asked_for_its_file(self, project, monkeypatch):
        module = type(sys)("zt_bare")
        module.__spec__ = None
        monkeypatch.setitem(sys.modules, "zt_bare", module)
        assert project_file("zt_bare") is None
        module.__file__ = str(project / "zt_bare.py")
        write(project, "zt_bare.py")
        assert project_file("zt_bare") == project / "zt_bare.py"


class TestIsUsersPackage:
    def test_what_is_installed_is_not(self):
        assert not any(map(is_users_package, ("yaml", "pandas", "json", "zentfx", "pytest")))

    def test_what_is_in_the_project_is_and_what_cannot_be_found_may_be(self, project):
        write(project, "zt_p/__init__.py", "zt_n/leaf.py")
        assert all(map(is_users_package, ("zt_p", "zt_n", "zt_none")))

    def test_a_namespace_counts_if_any_of_its_folders_does(self, monkeypatch, tmp_path):
        module = type(sys)("zt_n")
        module.__spec__ = ModuleSpec("zt_n", None)
        installed = str(importlib.util.find_spec("yaml").submodule_search_locations[0])
        monkeypatch.setitem(sys.modules, "zt_n", module)
        module.__spec__.submodule_search_locations = [installed]
        assert not is_users_package("zt_n")
        module.__spec__.submodule_search_locations = [installed, str(tmp_path)]
        assert is_users_package("zt_n")
