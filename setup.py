"""The package's metadata.

Ranges, not pins: they admit both lines of TFX that zentfx is written for, 1.16 and 1.21. What is
tested together is pinned in requirements/, one lock per environment; `./dev` installs from there.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def read_version() -> str:
    """Take the version from its file as text: importing the package would need what it needs."""
    text = (HERE / "zentfx" / "_version.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)[1]


# A base install runs function pipelines, plans, reads and compares: no TensorFlow, no Beam. The
# versions of protobuf and grpcio are ml-metadata's affair. 1.17 is left out: a line between those
# two, whose component specs zentfx/tfx_backend/specs does not have.
BASE = [
    "ml-pipelines-sdk>=1.16,<1.22,!=1.17.*",
    "ml-metadata>=1.16,<1.22,!=1.17.*",
    "pandas>=1.5,<3",
    "numpy>=1.22,<3",
    "pyarrow>=10,<19",
    "PyYAML>=6,<7",
    "click>=8,<9",
    "rich>=13,<15",
    "fsspec>=2023.1",
    "cloudpickle>=2.2,<4",
    "jinja2>=3,<4",
    "typeguard>=4.4,<5",
]

# TensorFlow and Beam come with tfx, in the versions that it asks for. The others are what it
# imports without asking for them: with these, a plain `pip install` of TFX 1.16 works together with
# what came out after it. The tested way is the lock.
TFX = [
    "tfx>=1.16,<1.22,!=1.17.*",
    # tfx-bsl imports dill, which Beam brought along until it went over to cloudpickle.
    "dill>=0.3.1.1",
    # tensorflow-hub 0.15 imports pkg_resources, which setuptools has since dropped.
    "setuptools<81",
]

setup(
    name="zentfx",
    version=read_version(),
    description="Small steps, tracked parameters, comparable and cached runs on TFX and MLMD.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The zentfx authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="tfx mlmd pipelines reproducibility experiment-tracking",
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["zentfx", "zentfx.*"]),
    # By kind and at any depth, since a template may lie in a folder that is no package. The wheel's
    # test compares this with the source tree.
    package_data={
        "zentfx": [
            "py.typed",
            "tfx_backend/specs/*.json",
            "**/*.html",
            "**/*.j2",
            "**/*.css",
            "**/*.js",
        ]
    },
    install_requires=BASE,
    extras_require={"tfx": TFX},
    entry_points={"console_scripts": ["zentfx = zentfx.cli:main"]},
    zip_safe=False,
)
