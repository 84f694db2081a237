"""The folder of a back catalogue: which files it holds, and which calls they are to become."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from app.core.exceptions import ConfigurationError
from app.schemas.call import FILE_NAME
from app.schemas.catalogue import Catalogue, Outcome, Recording, Settled
from app.schemas.requests import LONGEST_METADATA
from app.services.catalogue.sheet import Row


def look_through(
    folder: Path, rows: Sequence[Row] | None, *, sheet: Path | None, own: Sequence[Path]
) -> Catalogue:
    """The recordings that ``rows`` name, or without rows every file of ``folder``, subfolders too.

    ``sheet`` is the table's own file, ``own`` are folders of the service. Bytes are not looked at yet.
    Raises ConfigurationError where the folder is one of the service's own or two files make one call.
    """
    folder = folder.resolve()
    own = [path.resolve() for path in own]
    table = sheet and sheet.resolve()
    if any(folder.is_relative_to(path) for path in own):
        raise ConfigurationError("the folder holds the service's own files: name another one")
    found = [item for item in _walk(folder, own) if folder / item.name != table]
    catalogue = _unnamed(folder, found) if rows is None else _named(folder, rows, found)
    _check_ids(catalogue.recordings)
    return catalogue


def call_id_of(name: str) -> str:
    """The same for the same path below the folder, and for no other; it tells nothing of the name, which may
    be a person's or a number's, since ids of calls stand in the log."""
    return f"file-{sha256(os.fsencode(name)).hexdigest()[:32]}"


def _walk(folder: Path, own: Sequence[Path]) -> Iterator[Settled]:
    """Every file in order of its path: FAILED or SKIPPED what is none to read, LOADED what may be one."""
    unreadable: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=unreadable.append):
        below = Path(parent)
        kept = []
        for name in sorted(folders):
            if name.startswith("."):
                yield _skipped(below / name, folder, "hidden", "hidden folder")
            elif below / name in own:
                yield _skipped(below / name, folder, "own_folder", "a folder of the service's own files")
            else:
                kept.append(name)
        folders[:] = kept
        for name in sorted(files):
            yield _look(below / name, folder)
    for error in unreadable:
        yield Settled(_shown(Path(error.filename), folder), Outcome.FAILED, "unreadable", error.strerror)


def _look(path: Path, folder: Path) -> Settled:
    if path.name.startswith("."):
        return _skipped(path, folder, "hidden", "hidden file")
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return Settled(_shown(path, folder), Outcome.FAILED, "unreadable", error.strerror)
    if not stat.S_ISREG(mode):
        return _skipped(path, folder, "no_file", "neither a file nor a folder")
    return Settled(_shown(path, folder), Outcome.LOADED)


def _unnamed(folder: Path, found: Sequence[Settled]) -> Catalogue:
    return Catalogue(
        tuple(_recording(folder, item.name) for item in found if item.outcome is Outcome.LOADED),
        tuple(item for item in found if item.outcome is not Outcome.LOADED),
    )


def _named(folder: Path, rows: Sequence[Row], found: Sequence[Settled]) -> Catalogue:
    # A file that came from a Mac may spell an umlaut in another way than the table does.
    spelled = {unicodedata.normalize("NFC", item.name): item.name for item in found}
    recordings, settled, named = [], [], set()
    for row in rows:
        name = row.file
        if not (folder / name).exists():
            name = spelled.get(unicodedata.normalize("NFC", name), name)
        named.add(name)
        if (folder / name).is_file():
            recordings.append(_described(_recording(folder, name), row))
        else:
            detail = f"line {row.line} names it, and it is not in the folder"
            settled.append(Settled(name, Outcome.FAILED, "missing", detail))
    for item in found:
        if item.name not in named:
            left_out = Settled(item.name, Outcome.SKIPPED, "not_in_table", "the table does not name it")
            settled.append(left_out if item.outcome is Outcome.LOADED else item)
    return Catalogue(tuple(recordings), tuple(settled))


def _recording(folder: Path, name: str) -> Recording:
    shown = os.fsencode(name).decode("utf-8", "replace").replace("\x00", "")
    return Recording(name, folder / name, call_id_of(name), metadata={FILE_NAME: shown[-LONGEST_METADATA:]})


def _described(recording: Recording, row: Row) -> Recording:
    form = row.form
    return replace(
        recording,
        is_asked_for=True,
        call_id=form.call_id or recording.call_id,
        agent_id=form.agent_id,
        team_id=form.team_id,
        customer_id=form.customer_id,
        options=form.options,
        started_at=form.started_at,
        direction=form.direction,
        metadata=form.metadata if form.call_id else {**recording.metadata, **form.metadata},
    )


def _check_ids(recordings: Sequence[Recording]) -> None:
    names: dict[str, str] = {}
    for recording in recordings:
        other = names.setdefault(recording.call_id, recording.name)
        if other != recording.name:
            raise ConfigurationError(f"{other} and {recording.name} would be the same call")


def _skipped(path: Path, folder: Path, code: str, detail: str) -> Settled:
    return Settled(_shown(path, folder), Outcome.SKIPPED, code, detail)


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
