"""That a file's tests share a process: their fixtures, which are servers, are built once."""

import os

import pytest


@pytest.mark.parametrize("test", range(6))
def test_a_file_stays_with_one_process(test: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    own = tmp_path_factory.getbasetemp()
    seen = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "processes-of-one-file"
    with seen.open("a") as file:
        file.write(f"{os.getpid()}\n")
    assert set(seen.read_text().split()) == {str(os.getpid())}
