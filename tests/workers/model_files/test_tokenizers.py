"""Tokenizers by hub name: from a real HTTP server with the hub's layout, or from Hugging Face's cache."""

from pathlib import Path

import pytest

from tests import processes
from tests.hub_server import HubServer, hub_server
from workers.model_files.errors import ModelUnavailable
from workers.model_files.hub import Hub
from workers.model_files.tokenizers import TokenizerFolders

FILES = {
    "config.json": b"{}",
    "tokenizer_config.json": b'{"bos_token": "<s>"}',
    "chat_template.jinja": b"{{ messages }}",
}
NAME = "owner/some-model.1"


def at(hub: str, folder: Path) -> TokenizerFolders:
    return TokenizerFolders(folder / "models", Hub(hub, connect_seconds=1.0), folder / "cache")


def nobody() -> str:
    return f"http://127.0.0.1:{processes.free_port()}"


def in_cache(folder: Path, *names: str) -> Path:
    root = folder / "cache" / "models--owner--some-model.1"
    snapshot = root / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("abc")
    for name in names:
        (snapshot / name).write_bytes(FILES[name])
    return snapshot


def served(files: dict[str, bytes], cuts: int = 0) -> HubServer:
    return HubServer({f"/{NAME}/resolve/main/{name}": data for name, data in files.items()}, cuts)


def test_a_name_is_fetched_once_and_kept(tmp_path: Path) -> None:
    with hub_server(served(FILES)) as hub:
        folder = at(hub.url, tmp_path).find(NAME)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
        asked = len(hub.asked)
        assert at(hub.url, tmp_path).find(NAME) == folder
        assert len(hub.asked) == asked
    assert at(nobody(), tmp_path).find(NAME) == folder, "it is needed no more"


def test_a_template_in_the_configuration_needs_no_file_of_its_own(tmp_path: Path) -> None:
    files = {name: data for name, data in FILES.items() if name != "chat_template.jinja"}
    with hub_server(served(files)) as hub:
        assert {path.name for path in at(hub.url, tmp_path).find(NAME).iterdir()} == set(files)


def test_a_connection_that_breaks_off_is_taken_up_again(tmp_path: Path) -> None:
    with hub_server(served(FILES, cuts=2)) as hub:
        folder = at(hub.url, tmp_path).find(NAME)
    assert (folder / "chat_template.jinja").read_bytes() == FILES["chat_template.jinja"]


def test_what_was_fetched_in_part_is_fetched_whole_later(tmp_path: Path) -> None:
    with (
        hub_server(served({"tokenizer_config.json": b"{}"})) as half,
        pytest.raises(ModelUnavailable, match=r"has no config\.json"),
    ):
        at(half.url, tmp_path).find(NAME)
    with hub_server(served(FILES)) as hub:
        assert (at(hub.url, tmp_path).find(NAME) / "config.json").is_file()


def test_hugging_faces_cache_is_used_without_any_network(tmp_path: Path) -> None:
    snapshot = in_cache(tmp_path, *FILES)
    assert at(nobody(), tmp_path).find(NAME) == snapshot


def test_a_cache_without_the_files_is_passed_over(tmp_path: Path) -> None:
    in_cache(tmp_path, "config.json")
    with hub_server(served(FILES)) as hub:
        assert at(hub.url, tmp_path).find(NAME).parent == tmp_path / "models"


def test_a_folder_is_used_where_it_lies(tmp_path: Path) -> None:
    assert at(nobody(), tmp_path).find(str(tmp_path)) == tmp_path


def test_where_nothing_has_it_the_places_and_the_way_out_are_named(tmp_path: Path) -> None:
    hub = nobody()
    with pytest.raises(ModelUnavailable) as unavailable:
        at(hub, tmp_path).find(NAME)
    message = str(unavailable.value)
    for part in (NAME, str(tmp_path / "cache"), hub, "`tokenizer`", "tandem.toml", "HF_ENDPOINT"):
        assert part in message


def test_a_path_is_never_asked_of_the_hub(tmp_path: Path) -> None:
    with hub_server(served(FILES)) as hub:
        for path in ("/nowhere/model", "../model", "owner/..", "~/no-such-folder"):
            with pytest.raises(ModelUnavailable, match="is not on this machine"):
                at(hub.url, tmp_path).find(path)
        assert hub.asked == []


def test_the_cache_is_where_hugging_faces_variables_say(tmp_path: Path) -> None:
    snapshot = in_cache(tmp_path, *FILES)
    (tmp_path / "hub").symlink_to(tmp_path / "cache")
    for variables in ({"HF_HUB_CACHE": str(tmp_path / "cache")}, {"HF_HOME": str(tmp_path)}):
        folders = TokenizerFolders.from_environment(tmp_path / "models", {"HF_ENDPOINT": nobody(), **variables})
        assert folders.find(NAME).resolve() == snapshot
