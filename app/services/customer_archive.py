"""All that is kept of one customer's calls, as a zip archive that is written while it is read.

A folder a call (`calls/000001_CALL-001/`), oldest first: `call.json` is what `GET /calls/{call_id}` shows,
`request.json` what came with the recording, `version_N.json` each version of the analysis with the
corrections that made it, `reviews.json` what reviewers said of its moments, `comments.json` what they
said at a time of it, `deliveries.json` who was told, `recording.*` the recording itself, `clips.json` what
was kept of it as clips, with their sound in `CLIP.mp3`. Last comes `manifest.json`, which names every call
and file: an archive without it is not whole.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from pydantic import TypeAdapter

from app.core.clock import utc_now
from app.core.exceptions import StorageUnavailable
from app.db.repositories.calls import CallRepository
from app.db.repositories.clips import ClipRepository
from app.db.repositories.comments import CommentRepository
from app.db.repositories.customers import CustomerRepository
from app.db.repositories.deliveries import DeliveryRepository
from app.db.repositories.result_records import edits_values
from app.db.repositories.results import ResultRepository, ResultVersion
from app.db.repositories.reviews import ReviewRepository
from app.db.session import Database
from app.schemas.call import CallRecord
from app.schemas.clip import KeptClip
from app.schemas.clip_models import ClipModel
from app.schemas.comment import Comment
from app.schemas.comment_models import CommentModel
from app.schemas.models import CallResult
from app.schemas.review import MomentReview
from app.schemas.webhook import Delivery
from app.schemas.webhook_models import DeliveryModel
from app.services.exports.archive import CHUNK_BYTES, ZipStream, safe_name, suffix_of
from app.services.text_edits import texts_of
from app.storage.base import Storage

log = logging.getLogger(__name__)

FORMAT = 1
PAGE = 100
DELIVERIES_PAGE = 200
_REVIEW = TypeAdapter(MomentReview)

Document = dict[str, Any]
Bytes = Generator[bytes, None, Any]


@dataclass(frozen=True)
class _Kept:
    """What the database has of one call."""

    record: CallRecord
    versions: tuple[ResultVersion, ...]
    deliveries: tuple[Delivery, ...]
    reviews: tuple[MomentReview, ...]
    comments: tuple[Comment, ...]
    clips: tuple[KeptClip, ...]


class CustomerArchive:
    """One archive, to be written once. Holds one call in memory at a time, and no connection in between."""

    def __init__(self, database: Database, storage: Storage, customer_id: str) -> None:
        self._database = database
        self._storage = storage
        self._customer_id = customer_id
        self._zip = ZipStream()

    def written(self) -> Iterator[bytes]:
        """Raises DatabaseUnavailable here; what goes wrong later is raised in the middle."""
        first = self._page(None)
        return (chunk for chunk in self._all(first) if chunk)

    def _all(self, page: tuple[CallRecord, ...]) -> Iterator[bytes]:
        now = utc_now()
        calls: list[Document] = []
        while page:
            for record in page:
                kept = self._kept(record.call_id)
                if kept is not None:  # not deleted since the page was read
                    calls.append((yield from self._call(kept, len(calls) + 1)))
            page = self._page(page[-1])
        manifest = {
            "format": FORMAT,
            "customer_id": self._customer_id,
            "exported_at": now.isoformat(),
            "calls": calls,
        }
        yield from self._zip.add_json("manifest.json", now, manifest)
        yield self._zip.close()
        log.info("customer.exported", extra={"calls": len(calls)})

    def _call(self, kept: _Kept, place: int) -> Bytes:
        """Returns what the manifest says of the call."""
        record = kept.record
        folder = f"calls/{safe_name(place, record.call_id)}"
        files = []
        for name, document in _documents(kept).items():
            files.append(f"{folder}/{name}.json")
            yield from self._zip.add_json(files[-1], record.created_at, document)
        recording = None
        if record.audio_key is not None:
            told = {"sha256": record.audio_sha256, "bytes": record.audio_bytes}
            name = f"{folder}/recording"
            recording = yield from self._sound(record.audio_key, name, record.created_at, told)
        clips = yield from self._clips(kept.clips, folder)
        return {"call_id": record.call_id, "files": files, "recording": recording, "clips": clips}

    def _clips(self, clips: tuple[KeptClip, ...], folder: str) -> Bytes:
        """Returns the files of those that are there, for the manifest."""
        files = []
        for clip in clips:
            told = {"sha256": clip.audio_sha256, "bytes": clip.audio_bytes}
            file = yield from self._sound(clip.audio_key, f"{folder}/{clip.id}", clip.created_at, told)
            if file is not None:
                files.append(file)
        return files

    def _sound(self, key: str, name: str, made_at: datetime, told: Document) -> Bytes:
        """Returns the file with its digest for the manifest, None where it is not there any more."""
        if not self._storage.exists(key):
            return None
        try:
            with self._storage.local_path(key) as path, path.open("rb") as file:
                head = file.read(CHUNK_BYTES)
                name = f"{name}.{suffix_of(head)}"
                chunks = chain((head,), iter(partial(file.read, CHUNK_BYTES), b""))
                yield from self._zip.add(name, made_at, chunks, told["bytes"])
        except (StorageUnavailable, FileNotFoundError):
            if self._storage.exists(key):
                raise
            return None  # deleted in this moment
        return {"file": name, **told}

    def _page(self, after: CallRecord | None) -> tuple[CallRecord, ...]:
        with self._database.snapshot() as session:
            return CustomerRepository(session).page(self._customer_id, after, PAGE)

    def _kept(self, call_id: str) -> _Kept | None:
        with self._database.snapshot() as session:
            record = CallRepository(session).get(call_id)
            if record is None:
                return None
            deliveries, cursor = DeliveryRepository(session).page(DELIVERIES_PAGE, None, call_id=call_id)
            while cursor is not None:
                more, cursor = DeliveryRepository(session).page(DELIVERIES_PAGE, cursor, call_id=call_id)
                deliveries += more
            versions = ResultRepository(session).versions(call_id)
            reviews = ReviewRepository(session).of_call(call_id)
            comments = CommentRepository(session).of_call(call_id)
            clips = ClipRepository(session).of_call(call_id)
            return _Kept(record, versions, deliveries, reviews, comments, clips)


def _documents(kept: _Kept) -> dict[str, Any]:
    """The files of a call but its recording, by their names without `.json`."""
    record = kept.record
    current, edits = next(
        ((version.analysis, version.edits) for version in kept.versions if version.is_current), (None, ())
    )
    return {
        "call": CallResult.of(record, current)
        .with_reviews(kept.reviews)
        .with_corrections(texts_of(edits))
        .model_dump(mode="json"),
        "request": {
            **asdict(record.options),
            "audio_sha256": record.audio_sha256,
            "audio_bytes": record.audio_bytes,
        },
        "clips": [ClipModel.of(clip).model_dump(mode="json") for clip in kept.clips],
        "reviews": [_REVIEW.dump_python(review, mode="json") for review in kept.reviews],
        "comments": [CommentModel.of(comment).model_dump(mode="json") for comment in kept.comments],
        "deliveries": [DeliveryModel.of(delivery).model_dump(mode="json") for delivery in kept.deliveries],
        **{f"version_{version.version}": _version(record, version) for version in kept.versions},
    }


def _version(record: CallRecord, version: ResultVersion) -> Document:
    return {
        "version": version.version,
        "created_at": version.created_at.isoformat(),
        "is_current": version.is_current,
        "edits": edits_values(version.edits),
        "edited_from": version.edited_from,
        "loudness": version.analysis.loudness,
        "result": CallResult.of(record, version.analysis).model_dump(mode="json"),
    }
