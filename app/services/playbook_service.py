"""Stored playbooks: drafts are written and changed, publishing makes of one what calls are analysed by."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from app.core.clock import Clock, utc_now
from app.core.exceptions import (
    ConfigurationError,
    PlaybookDraftChanged,
    PlaybookDraftExists,
    PlaybookDraftNotFound,
    PlaybookExamplesFailed,
    PlaybookInvalid,
    PlaybookNotFound,
    PlaybookRevisionNotFound,
    PlaybookTooLarge,
    TooManyPlaybooks,
    UnknownPlaybook,
)
from app.db.repositories.playbooks import PlaybookRepository
from app.db.repositories.rule_verdicts import count_verdicts
from app.db.session import Database
from app.schemas.playbook import (
    KnownPlaybook,
    PlaybookRevision,
    PlaybookSource,
    RevisionFacts,
    RevisionState,
)
from app.schemas.rule_report import RulePrecision
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable.loader import MAX_BYTES, parse_playbook, playbook_text
from app.services.coachable.playbook import Playbook
from app.services.playbook_examples import FailedExample, try_examples
from app.services.playbook_library import PlaybookLibrary, parsed
from app.services.rule_report import precisions

log = logging.getLogger(__name__)

MOST_PLAYBOOKS = 200
EXAMPLES_LIMIT_S = 20.0
"""Time that the examples of a playbook may take before it is published."""
_MOST_FAILED = 50
_MOST_RACES = 5


class PlaybookService:
    """The only place that writes playbooks. Each change is one transaction. Thread-safe.

    A name has at most one draft. Each text is read before anything is kept of it: one that cannot be used
    raises PlaybookInvalid, with the line of each reason, or PlaybookTooLarge.
    """

    def __init__(
        self,
        database: Database,
        library: PlaybookLibrary,
        folder: Path | None,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._library = library
        self._folder = folder
        self._clock = clock

    def all(self) -> tuple[KnownPlaybook, ...]:
        """Files and stored ones, by name. A file that is broken has no current revision."""
        with self._database.snapshot() as session:
            playbooks = PlaybookRepository(session)
            published, drafts = playbooks.current(), playbooks.drafts()
        names = sorted({*self._library.files(), *published, *drafts})
        return tuple(self._known(name, published.get(name), drafts.get(name)) for name in names)

    def known(self, name: str) -> KnownPlaybook:
        """One of them. Raises PlaybookNotFound."""
        found = next((known for known in self.all() if known.name == name), None)
        if found is None:
            raise PlaybookNotFound(f"there is no playbook {name!r}")
        return found

    def get(self, name: str, revision: str | None = None) -> tuple[PlaybookRevision, PlaybookSource]:
        """What holds now, or any revision of it, the draft's too.

        Raises PlaybookNotFound and PlaybookRevisionNotFound.
        """
        with self._database.snapshot() as session:
            playbooks = PlaybookRepository(session)
            wanted = revision or playbooks.current_revision(name)
            found = playbooks.published(name, wanted) if wanted else None
            draft = playbooks.draft(name)
        if found is None and draft is not None and draft.facts.revision == revision:
            found = draft
        if found is not None:
            return found, PlaybookSource.ROW
        try:
            file = self._of_file(name)
        except UnknownPlaybook as error:
            if draft is None:
                raise PlaybookNotFound(error.detail) from None
            raise PlaybookRevisionNotFound(f"{name}: nothing but its draft is there") from None
        if revision in (None, file.facts.revision):
            return file, PlaybookSource.FILE
        raise PlaybookRevisionNotFound(f"{name}: there is no revision {revision}")

    def draft(self, name: str) -> PlaybookRevision:
        """Raises PlaybookDraftNotFound."""
        with self._database.snapshot() as session:
            return _found(PlaybookRepository(session).draft(name), name)

    def revisions(self, name: str) -> tuple[tuple[RevisionFacts, ...], str | None]:
        """The draft, the published ones, newest first, and the file; and which of them holds now.

        Raises PlaybookNotFound.
        """
        with self._database.snapshot() as session:
            playbooks = PlaybookRepository(session)
            stored, current = playbooks.revisions(name), playbooks.current_revision(name)
        try:
            file = facts_of(self._library.file(name).playbook)
        except UnknownPlaybook as error:
            if not stored:
                raise PlaybookNotFound(error.detail) from None
            return stored, current
        except PlaybookInvalid:
            return stored, current
        known = {facts.revision for facts in stored if facts.state is RevisionState.PUBLISHED}
        return (*stored, *([] if file.revision in known else [file])), current or file.revision

    def report(self, name: str) -> tuple[str | None, tuple[RulePrecision, ...], tuple[RulePrecision, ...]]:
        """How right each rule is by reviewers' verdicts: which revision is current, then the rules over all
        revisions, and in each. Raises PlaybookNotFound where there is neither the playbook nor a verdict."""
        counts = self._database.read(lambda session: count_verdicts(session, name))
        try:
            _, current = self.revisions(name)
        except PlaybookNotFound:
            if not counts:
                raise
            current = None
        return current, *precisions(counts)

    def create(self, text: str, name: str | None = None) -> PlaybookRevision:
        """A draft of a name that has none, which the text gives itself where none is given.

        Raises PlaybookDraftExists, TooManyPlaybooks and what unusable texts raise.
        """
        return self._put(text, name, only_new=True)

    def put_draft(self, name: str, text: str, expected: str | None = None) -> PlaybookRevision:
        """Make ``text`` the draft, in the place of the earlier one: where ``expected`` is given, of that with
        this etag, or of any for ``*``.

        Raises PlaybookDraftChanged, TooManyPlaybooks and what unusable texts raise.
        """
        return self._put(text, name, expected=expected)

    def drop_draft(self, name: str, expected: str | None = None) -> None:
        """Raises PlaybookDraftNotFound, and PlaybookDraftChanged where it is not the ``expected`` one."""
        with self._database.session() as session:
            playbooks = PlaybookRepository(session)
            playbooks.lock(name)
            _check_expected(_found(playbooks.draft(name), name), expected)
            playbooks.drop_draft(name)
        log.info("playbook.draft_dropped", extra={"playbook": name})

    def publish(self, name: str, revision: str) -> PlaybookRevision:
        """Make a revision the one that calls are analysed by: the draft, or an earlier one again.

        A draft with the contents of a published revision makes that the current one. Publishing twice is
        publishing once. Raises PlaybookNotFound, PlaybookRevisionNotFound, PlaybookExamplesFailed where rules
        of a draft do not do what their examples say, and PlaybookTooLarge where trying them takes too long.
        """
        draft = self._draft_with(name, revision)
        if draft is not None:
            check_examples(CompiledPlaybook(parsed(draft)))
        with self._database.session() as session:
            playbooks = PlaybookRepository(session)
            if not playbooks.lock(name):
                raise PlaybookNotFound(f"there is no stored playbook {name!r}")
            now_draft = playbooks.draft(name)
            if playbooks.published(name, revision) is None:
                if draft is None or now_draft is None or now_draft.etag != draft.etag:
                    raise _no_revision(name, revision, now_draft)
                playbooks.publish_draft(name, self._clock())
            elif now_draft is not None and now_draft.facts.revision == revision:
                playbooks.drop_draft(name)
            playbooks.make_current(name, revision)
            published = playbooks.published(name, revision)
        assert published is not None
        log.info("playbook.published", extra={"playbook": name, "revision": revision})
        return published

    def _put(
        self, text: str, name: str | None, *, expected: str | None = None, only_new: bool = False
    ) -> PlaybookRevision:
        playbook = read_text(text, name)
        new = PlaybookRevision(facts_of(playbook, RevisionState.DRAFT), text)
        with self._database.session() as session:
            playbooks = PlaybookRepository(session)
            self._lock(playbooks, playbook.name)
            earlier = playbooks.draft(playbook.name)
            if earlier is not None and only_new:
                raise PlaybookDraftExists(f"{playbook.name}: change its draft, or drop it first")
            _check_expected(earlier, expected)
            playbooks.put_draft(new, self._clock())
            kept = _found(playbooks.draft(playbook.name), playbook.name)
        log.info("playbook.drafted", extra={"playbook": playbook.name, "revision": playbook.revision})
        return kept

    def _lock(self, playbooks: PlaybookRepository, name: str) -> None:
        """Lock the playbook's row; it is made where there is none. It may go again in between."""
        for _ in range(_MOST_RACES):
            if playbooks.lock(name):
                return
            if playbooks.count() >= MOST_PLAYBOOKS:
                raise TooManyPlaybooks(f"there are {MOST_PLAYBOOKS} stored playbooks already")
            playbooks.add(name, self._clock())
        raise PlaybookDraftChanged(f"{name}: its draft is being changed by many at once")

    def _draft_with(self, name: str, revision: str) -> PlaybookRevision | None:
        with self._database.snapshot() as session:
            draft = PlaybookRepository(session).draft(name)
        return draft if draft is not None and draft.facts.revision == revision else None

    def _of_file(self, name: str) -> PlaybookRevision:
        playbook = self._library.file(name).playbook
        try:
            return PlaybookRevision(facts_of(playbook), playbook_text(name, self._folder))
        except ConfigurationError:
            raise UnknownPlaybook(f"the file of the playbook {name!r} is no longer there") from None

    def _known(
        self, name: str, published: RevisionFacts | None, draft: RevisionFacts | None
    ) -> KnownPlaybook:
        if published is not None:
            return KnownPlaybook(name, PlaybookSource.ROW, published, draft)
        if name not in self._library.files():
            return KnownPlaybook(name, PlaybookSource.ROW, None, draft)
        try:
            current = facts_of(self._library.file(name).playbook)
        except PlaybookInvalid:
            current = None
        return KnownPlaybook(name, PlaybookSource.FILE, current, draft)


def read_text(text: str, name: str | None) -> Playbook:
    """The playbook that a client's text holds. Raises PlaybookInvalid and PlaybookTooLarge."""
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise PlaybookTooLarge(f"a playbook has at most {MAX_BYTES} bytes")
    try:
        return parse_playbook(text, "line", name)
    except ConfigurationError as error:
        raise PlaybookInvalid(error.detail.removeprefix("playbook "), errors=error.errors) from None


def check_examples(playbook: CompiledPlaybook) -> None:
    """Raises PlaybookExamplesFailed that names each example that does not hold, and PlaybookTooLarge where
    there are too many to be tried in time."""
    failed: list[FailedExample] = []
    until = time.monotonic() + EXAMPLES_LIMIT_S
    for example in try_examples(playbook):
        if example is not None:
            failed.append(example)
        if time.monotonic() > until:
            raise PlaybookTooLarge(f"its examples take longer than {EXAMPLES_LIMIT_S:.0f} s to try")
    if failed:
        shown = [
            {"field": f"{example.rule}.{example.part}", "message": str(example)}
            for example in failed[:_MOST_FAILED]
        ]
        raise PlaybookExamplesFailed(f"{len(failed)} examples do not hold; first: {failed[0]}", errors=shown)


def facts_of(playbook: Playbook, state: RevisionState = RevisionState.PUBLISHED) -> RevisionFacts:
    """What a list says of it; its rules are those of all languages."""
    in_words = {rule.id for language in playbook.languages for rule, _ in playbook.rules_in(language)}
    rules = len(playbook.timed_rules) + len(in_words)
    languages = tuple(sorted(playbook.languages))
    return RevisionFacts(playbook.name, playbook.revision, playbook.version, rules, languages, state)


def _check_expected(draft: PlaybookRevision | None, expected: str | None) -> None:
    if expected is not None and (draft is None or expected not in ("*", draft.etag)):
        raise PlaybookDraftChanged("the draft is not the one that If-Match names")


def _found(draft: PlaybookRevision | None, name: str) -> PlaybookRevision:
    if draft is None:
        raise PlaybookDraftNotFound(f"{name} has no draft")
    return draft


def _no_revision(name: str, revision: str, draft: PlaybookRevision | None) -> PlaybookRevisionNotFound:
    told = f"; its draft is {draft.facts.revision}" if draft else ""
    return PlaybookRevisionNotFound(f"{name}: there is no revision {revision} to publish{told}")
