"""What lies in a folder, and which calls it is to become."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import pytest

from app.core.exceptions import ConfigurationError
from app.schemas.catalogue import Catalogue
from app.schemas.requests import ID_PATTERN
from app.services.catalogue.folder import call_id_of, look_through
from app.services.catalogue.sheet import read_sheet


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def look(folder: Path, table: str | None = None, *own: Path) -> Catalogue:
    if table is None:
        return look_through(folder, None, sheet=None, own=own)
    path = folder / "calls.csv"
    path.write_text(table)
    return look_through(folder, read_sheet(path), sheet=path, own=own)


def settled(catalogue: Catalogue) -> set[tuple[str, str, str | None]]:
    return {(item.name, item.outcome.value, item.code) for item in catalogue.settled}


def test_all_files_count_subfolders_too_in_order(tmp_path: Path) -> None:
    fill(tmp_path, "b.wav", "a", "2024/05/c.mp3", "2023/ä b.wav")
    assert [recording.name for recording in look(tmp_path).recordings] == [
        "a", "b.wav", "2023/ä b.wav", "2024/05/c.mp3",
    ]  # fmt: skip
    assert look(tmp_path).settled == ()


def test_ids_are_valid_stable_and_as_many_as_paths(tmp_path: Path) -> None:
    names = [
        "a b.wav",
        "a-b.wav",
        "a/b.wav",
        "a b.mp3",
        "\u00fc.wav",
        "u\u0308.wav",
        "x" * 200,
        "a'\"\n.wav",
        "日本.wav",
    ]
    fill(tmp_path / "one", *names)
    fill(tmp_path / "two" / "deeper", *names)
    ids = {item.name: item.call_id for item in look(tmp_path / "one").recordings}
    assert len(set(ids.values())) == len(names)
    assert all(re.fullmatch(ID_PATTERN, call_id) for call_id in ids.values())
    assert ids == {item.name: item.call_id for item in look(tmp_path / "two" / "deeper").recordings}
    assert ids["a b.wav"] == "file-7301eec9d260cac02c32d5cdfe3deabd"


def test_an_id_tells_nothing_of_a_name_but_the_metadata_of_the_call_do(tmp_path: Path) -> None:
    (recording,) = look(fill(tmp_path, "smith john +49170123.wav")).recordings
    assert re.fullmatch("file-[0-9a-f]{32}", recording.call_id)
    assert recording.metadata == {"file": "smith john +49170123.wav"}


def test_what_is_no_file_of_anybody_is_left_out_and_said(tmp_path: Path) -> None:
    fill(tmp_path, "a.wav", ".DS_Store", ".git/b.wav", "data/audio/ab/c", "sub/work/d")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "nowhere")
    catalogue = look(tmp_path, None, tmp_path / "data", tmp_path / "sub" / "work")
    assert [recording.name for recording in catalogue.recordings] == ["a.wav"]
    assert settled(catalogue) == {
        (".DS_Store", "skipped", "hidden"),
        (".git", "skipped", "hidden"),
        ("data", "skipped", "own_folder"),
        ("sub/work", "skipped", "own_folder"),
        ("pipe", "skipped", "no_file"),
        ("dangling.wav", "failed", "unreadable"),
    }


@pytest.mark.parametrize("below", ["", "audio/ab"])
def test_the_service_does_not_load_its_own_recordings(tmp_path: Path, below: str) -> None:
    fill(tmp_path, "data/audio/ab/c")
    with pytest.raises(ConfigurationError, match="the service's own files"):
        look(tmp_path / "data" / below, None, tmp_path / "data")


def test_names_that_are_no_utf8_are_told_apart(tmp_path: Path) -> None:
    for name in (b"\xff.wav", b"\xfe.wav"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    first, second = look(tmp_path).recordings
    assert first.call_id != second.call_id
    assert first.metadata["file"].encode() == "\ufffd.wav".encode()


def test_a_table_describes_and_whatever_does_not_match_is_said(tmp_path: Path) -> None:
    fill(tmp_path, "a.wav", "sub/b.wav", "c.wav", ".hidden.wav", ".other")
    catalogue = look(
        tmp_path,
        "file,call_id,agent_id,team_id,metadata\n"
        "sub/b.wav,CALL-B,agent-7,emea,\n"
        'a.wav,,,,"{""campaign"": ""x""}"\n'
        "gone.wav,CALL-G,,\n"
        "sub,CALL-S,,\n"
        ".hidden.wav,CALL-H,,\n",
    )
    described, plain, hidden = catalogue.recordings
    assert (described.name, described.call_id, described.agent_id) == ("sub/b.wav", "CALL-B", "agent-7")
    assert described.team_id == "emea"
    assert (described.path, described.metadata) == (tmp_path / "sub" / "b.wav", {})
    assert (plain.call_id, plain.metadata) == (call_id_of("a.wav"), {"file": "a.wav", "campaign": "x"})
    assert hidden.call_id == "CALL-H"
    assert all(recording.is_asked_for for recording in catalogue.recordings)
    assert settled(catalogue) == {
        ("gone.wav", "failed", "missing"),
        ("sub", "failed", "missing"),
        ("c.wav", "skipped", "not_in_table"),
        (".other", "skipped", "hidden"),
    }


def test_an_umlaut_is_found_however_it_is_spelled(tmp_path: Path) -> None:
    name = "Müller.wav"
    fill(tmp_path, unicodedata.normalize("NFD", name))
    catalogue = look(tmp_path, f"file\n{unicodedata.normalize('NFC', name)}\n")
    assert catalogue.recordings[0].path.is_file()
    assert catalogue.settled == ()


def test_two_files_never_become_one_call(tmp_path: Path) -> None:
    fill(tmp_path, "a.wav", "b.wav")
    with pytest.raises(ConfigurationError, match=re.escape("b.wav and a.wav would be the same call")):
        look(tmp_path, f"file,call_id\nb.wav,{call_id_of('a.wav')}\na.wav,\n")


def test_an_empty_folder_is_an_empty_catalogue(tmp_path: Path) -> None:
    assert look(tmp_path) == Catalogue((), ())
