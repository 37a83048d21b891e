"""Light imports, held against the source of what they import, and what others see of them."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from zentfx.light_imports import NEVER, POSTPONED, REFUSED


def tree_of(module):
    return ast.parse(Path(importlib.util.find_spec(module).origin).read_text("utf-8"))


def imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


@pytest.mark.parametrize(("asker", "refused"), [*REFUSED.items(), *NEVER.items()])
def test_each_asker_catches_the_failure_of_the_import_that_we_refuse(asker, refused):
    for node in ast.walk(tree_of(asker)):
        if not isinstance(node, ast.Try):
            continue
        names = [name for item in node.body for name in imported(item)]
        caught = {ast.unparse(handler.type) for handler in node.handlers if handler.type}
        if any(name == refused or name.startswith(f"{refused}.") for name in names):
            assert caught & {"ImportError", "ModuleNotFoundError", "Exception"}
            return
    pytest.fail(f"{asker} does not import {refused} in a try block any more")


@pytest.mark.parametrize(("asker", "postponed"), POSTPONED.items())
def test_each_asker_needs_of_what_is_postponed_what_the_stand_in_has(asker, postponed):
    """At module level nothing but the import itself, and one base class of googleapiclient's."""
    tree = tree_of(asker)
    at_once = [item for item in tree.body if not isinstance(item, (ast.FunctionDef, ast.ClassDef))]
    assert any(postponed in imported(item) for item in at_once)
    name = "http" if postponed == "googleapiclient" else postponed
    used = {
        ast.unparse(base)
        for item in tree.body
        if isinstance(item, ast.ClassDef)
        for base in [*item.bases, *item.decorator_list, *_class_level(item)]
        if name in {part.id for part in ast.walk(base) if isinstance(part, ast.Name)}
    }
    assert used == ({"http.HttpRequest"} if postponed == "googleapiclient" else set())
    for item in at_once:
        names = {part.id for part in ast.walk(item) if isinstance(part, ast.Name)}
        assert name not in names


def _class_level(item):
    return [part for part in item.body if not isinstance(part, (ast.FunctionDef, ast.ClassDef))]


def run_fresh(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_was_postponed_is_not_there_and_comes_when_it_is_needed():
    out = run_fresh("""
import sys
import zentfx.tfx_backend.launch
from tfx.utils import telemetry_utils
from tfx.orchestration.portable import docker_executor_operator
from ml_metadata.metadata_store import metadata_store
heavy = {"tensorflow", "apache_beam", "googleapiclient", "docker", "setuptools", "pandas"}
print(sorted(heavy & set(sys.modules)))
print(docker_executor_operator.docker.DockerClient.__module__)
print(metadata_store.grpc.RpcError.__module__)
import googleapiclient.discovery, googleapiclient.http
print(issubclass(telemetry_utils.TFXHttpRequest, googleapiclient.http.HttpRequest))
print(telemetry_utils.http is googleapiclient.http)
""")
    assert out.split("\n") == ["[]", "docker.client", "grpc", "True", "True", ""]


def test_others_import_them_as_ever_before_and_after():
    out = run_fresh("""
import docker, grpc, googleapiclient.http
import zentfx.tfx_backend.launch
from tfx.utils import telemetry_utils
from ml_metadata.metadata_store import metadata_store
print(telemetry_utils.http is googleapiclient.http, metadata_store.grpc is grpc)
import grpc.aio, setuptools
""")
    assert out == "True True\n"
    run_fresh("import zentfx.tfx_backend.launch; import docker.api, grpc.aio, googleapiclient.http")
