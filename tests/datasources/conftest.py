"""What tests of CSV files share."""

import pytest


@pytest.fixture
def write(tmp_path):
    def write(content, name="rows.csv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write
