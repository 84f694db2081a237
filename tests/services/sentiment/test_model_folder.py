"""The model's folder: complete or not, in reach or not, fetched whole or not at all."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from app.core.exceptions import StageFailed
from app.services.sentiment.model_folder import ModelFolder
from tests.services.sentiment.factories import DEFAULT_MODEL, MINI, closed_port, copy_model, serve_hub


def test_a_hub_name_has_its_folder_where_models_are_kept(tmp_path: Path) -> None:
    folder = ModelFolder("acme/mood-large", tmp_path, "http://127.0.0.1:9")
    assert folder.from_hub
    assert folder.name == "acme/mood-large"
    assert folder.path == tmp_path / "acme--mood-large"


def test_a_folder_is_taken_as_it_is_and_goes_by_its_own_name(tmp_path: Path) -> None:
    folder = ModelFolder(str(MINI), tmp_path, "http://127.0.0.1:9")
    assert not folder.from_hub
    assert folder.name == "mini_distilbert"
    assert folder.is_complete()


@pytest.mark.parametrize("left_out", [("config.json",), ("*.safetensors",), ("tokenizer.json", "vocab.txt")])
def test_a_folder_that_lacks_a_part_is_not_complete(tmp_path: Path, left_out: tuple[str, ...]) -> None:
    copy = copy_model(tmp_path / "model", *left_out)
    assert not ModelFolder(str(copy), tmp_path, "http://127.0.0.1:9").is_complete()


def test_weights_in_several_files_are_complete_when_all_are_there(tmp_path: Path) -> None:
    copy = copy_model(tmp_path / "model", "*.safetensors")
    folder = ModelFolder(str(copy), tmp_path, "http://127.0.0.1:9")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (copy / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (copy / shards["a"]).write_bytes(b"weights")
    assert not folder.is_complete()
    (copy / shards["b"]).write_bytes(b"weights")
    assert folder.is_complete()


@pytest.mark.parametrize("broken", ["{", "[]", "{}"])
def test_a_broken_index_of_weights_is_not_complete(tmp_path: Path, broken: str) -> None:
    copy = copy_model(tmp_path / "model", "*.safetensors")
    (copy / "model.safetensors.index.json").write_text(broken)
    assert not ModelFolder(str(copy), tmp_path, "http://127.0.0.1:9").is_complete()


def test_the_hub_is_in_reach_only_where_something_listens(tmp_path: Path) -> None:
    with serve_hub(MINI) as hub:
        assert ModelFolder("acme/mood", tmp_path, hub.url).hub_answers(2.0)
    assert not ModelFolder("acme/mood", tmp_path, f"http://127.0.0.1:{closed_port()}").hub_answers(2.0)


def test_fetching_brings_a_complete_folder_without_pickles(tmp_path: Path) -> None:
    source = copy_model(tmp_path / "hub")
    (source / "pytorch_model.bin").write_bytes(b"a pickle")
    (source / "training_args.pt").write_bytes(b"a pickle")
    (source / "onnx").mkdir()
    (source / "onnx" / "config.json").write_text("{}")
    with serve_hub(source) as hub:
        folder = ModelFolder("acme/mood", tmp_path / "kept", hub.url)
        assert not folder.is_complete()
        folder.fetch()
    assert folder.is_complete()
    assert sorted(file.name for file in folder.path.iterdir()) == sorted(file.name for file in MINI.iterdir())
    assert (folder.path / "model.safetensors").read_bytes() == (MINI / "model.safetensors").read_bytes()
    assert hub.revisions == ["main"]


def test_the_default_model_is_fetched_at_a_known_commit(tmp_path: Path) -> None:
    with serve_hub(MINI) as hub:
        ModelFolder(DEFAULT_MODEL, tmp_path, hub.url).fetch()
    assert set(hub.revisions) == {"714eb0fa89d2f80546fda750413ed43d93601a13"}


def test_several_that_ask_at_once_fetch_once(tmp_path: Path) -> None:
    with serve_hub(MINI) as hub:
        folders = [ModelFolder("acme/mood", tmp_path, hub.url) for _ in range(4)]
        threads = [threading.Thread(target=folder.fetch) for folder in folders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(folder.is_complete() for folder in folders)
    assert hub.files_given.count("model.safetensors") == 1


def test_a_download_that_breaks_off_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    with serve_hub(MINI) as hub:
        hub.gone_after = 1
        folder = ModelFolder("acme/mood", tmp_path, hub.url)
        with pytest.raises(StageFailed):
            folder.fetch()
        assert not folder.path.exists()
        hub.gone_after = None
        folder.fetch()
    assert folder.is_complete()


def test_a_half_filled_folder_is_replaced_by_the_whole_one(tmp_path: Path) -> None:
    half = tmp_path / "acme--mood"
    half.mkdir()
    (half / "config.json").write_text("{}")
    with serve_hub(MINI) as hub:
        folder = ModelFolder("acme/mood", tmp_path, hub.url)
        folder.fetch()
    assert (half / "config.json").read_bytes() == (MINI / "config.json").read_bytes()


def test_a_model_that_has_only_pickles_is_refused(tmp_path: Path) -> None:
    source = copy_model(tmp_path / "hub", "*.safetensors")
    (source / "pytorch_model.bin").write_bytes(b"a pickle")
    with serve_hub(source) as hub:
        folder = ModelFolder("acme/mood", tmp_path / "kept", hub.url)
        with pytest.raises(StageFailed, match="safetensors") as caught:
            folder.fetch()
    assert not folder.path.exists()
    assert str(tmp_path) not in caught.value.detail


def test_a_place_that_cannot_be_written_is_said_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file where a folder should be")
    folder = ModelFolder("acme/mood", tmp_path / "kept", "http://127.0.0.1:9")
    with pytest.raises(StageFailed, match="cannot be stored") as caught:
        folder.fetch()
    assert str(tmp_path) not in caught.value.detail
