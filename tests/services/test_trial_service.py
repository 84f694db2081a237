"""A draft tried on stored calls and on texts: what it finds, and what only one of two revisions finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.core.exceptions import Busy, PlaybookDraftNotFound, PlaybookInvalid, ValidationFailed
from app.db.models import Base
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.schemas import trial as trial_values
from app.schemas.analysis import AnalysedSegment
from app.schemas.speaker import Role
from app.schemas.trial import Hits, Since, Skipped, Trial
from app.services import trial_service
from app.services.given_transcript import GivenSegment
from app.services.pasted_text import segments_in
from app.services.trial_service import TrialService
from tests.analyses import analysis_of, spoken
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.values import at, completed, stored, taken
from tests.services.coachable.factories import playbook_text, rule, timed_rule
from tests.services.playbooks import Shop, text_of

__all__ = ["database", "quick_folder", "shared_database"]


class Lab(Shop):
    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, folder)
        self.now_s = 0.0
        self.database = database
        self.trials = TrialService(database, self.coachable, self.library, self.playbooks, lambda: self.now_s)

    def call(self, call_id: str, *texts: str, seconds: float = 0) -> None:
        """A finished call in which this is said."""
        stored(self.database, call_id, seconds)
        claim = taken(self.database, call_id, at(seconds))
        said = [
            AnalysedSegment(spoken(text, 10.0 * index, index), None, (), False, None)
            for index, text in enumerate(texts)
        ]
        with self.database.session() as session:
            analysis = analysis_of(*said)
            assert ClaimRepository(session).complete(claim, analysis, at(seconds + 1), keep_heard=False)


@pytest.fixture
def lab(database: Database, tmp_path: Path) -> Lab:
    return Lab(database, tmp_path)


def told(hits: Hits) -> list[tuple[str | None, int | None, str, str]]:
    return [
        (hit.call_id, hit.moment.segment, hit.moment.rule, hit.moment.evidence.text) for hit in hits.shown
    ]


def test_the_two_differences_on_stored_calls(lab: Lab) -> None:
    lab.call("A", "well i want it", "i want it more and send it")
    lab.call("B", "nothing of the kind")
    lab.publish(playbook_text(rule(id="old", condition={"phrases": ["i want it"]}, match=["i want it"])))
    lab.playbooks.put_draft(
        "mine",
        playbook_text(
            rule(id="new", condition={"phrases": ["want it more"]}, match=["want it more"]),
            rule(id="send", type="confusion", condition={"phrases": ["send it"]}, match=["send it"]),
        ),
    )
    trial = lab.trials.on_calls("mine", None, ["A", "B"])
    # The same segment and type is the same finding, by whichever rule and on whichever words.
    assert told(trial.found) == [("A", 1, "new", "want it more"), ("A", 1, "send", "send it")]
    assert told(trial.only_draft) == [("A", 1, "send", "send it")]
    assert told(trial.only_current) == [("A", 0, "old", "i want it")]
    assert (dict(trial.draft_rules), dict(trial.current_rules)) == ({"new": 1, "send": 1}, {"old": 2})
    assert (trial.tried, trial.skipped, trial.not_tried) == (2, [], 0)
    hit = trial.found.shown[0]
    assert (hit.moment.evidence.start_s, hit.moment.evidence.end_s) == (10.5, 11.9)
    assert hit.moment.confidence == pytest.approx(0.64)  # nobody knows who speaks


def test_a_text_that_is_sent_along_is_tried_and_not_kept(lab: Lab) -> None:
    lab.call("A", "i want it")
    trial = lab.trials.on_calls("mine", text_of("sent"), ["A"])
    assert told(trial.found) == told(trial.only_draft) == [("A", 0, "sent", "i want it")]
    assert (trial.current, trial.only_current.count) == (None, 0)
    with pytest.raises(PlaybookDraftNotFound):
        lab.trials.on_calls("mine", None, ["A"])
    with pytest.raises(PlaybookInvalid, match="must be 'yours'"):
        lab.trials.on_calls("yours", text_of(), ["A"])


def test_trying_writes_nothing(lab: Lab) -> None:
    lab.call("A", "i want it")
    lab.publish(text_of("old"))
    lab.playbooks.put_draft("mine", text_of("new"))
    before = _rows(lab.database)
    lab.trials.on_calls("mine", None, Since())
    lab.trials.on_calls("mine", text_of("sent"), Since())
    assert _rows(lab.database) == before


def test_the_latest_calls_since_a_time(lab: Lab) -> None:
    for seconds in range(5):
        lab.call(f"C{seconds}", "i want it", seconds=seconds)

    def tried(since: Since) -> list[str | None]:
        return [hit.call_id for hit in lab.trials.on_calls("mine", text_of(), since).found.shown]

    assert tried(Since(limit=2)) == ["C4", "C3"]
    assert tried(Since(at(3))) == ["C4", "C3"]
    assert tried(Since(at(9))) == []


def test_calls_without_words_are_skipped_with_the_reason(lab: Lab) -> None:
    lab.call("A", "i want it")
    completed(lab.database, "gone", -100)
    stored(lab.database, "waiting", 1)
    with lab.database.session() as session:
        assert RetentionRepository(session).delete_texts(at(-50), at(9), 10) == ("gone",)
    trial = lab.trials.on_calls("mine", text_of(), ["gone", "waiting", "A", "nobody", "A"])
    assert trial.skipped == [
        Skipped("gone", "text_deleted"),
        Skipped("waiting", "call_not_ready"),
        Skipped("nobody", "call_not_found"),
    ]
    assert (trial.tried, trial.found.count) == (1, 1)


def test_when_the_time_is_over_it_tells_how_many_were_left(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for call_id in "ABC":
        lab.call(call_id, "i want it")
    find = lab.coachable.find

    def slow(*arguments: object, **more: object) -> object:
        lab.now_s += trial_service.LONGEST_S * 0.6
        return find(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(lab.coachable, "find", slow)
    trial = lab.trials.on_calls("mine", text_of(), ["A", "B", "C"])
    assert (trial.tried, trial.not_tried) == (2, 1)


def test_long_lists_are_cut_and_counted(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_values, "MOST_HITS", 2)
    lab.call("A", *["i want it"] * 5)
    trial = lab.trials.on_calls("mine", text_of(), ["A"])
    assert (len(trial.found.shown), trial.found.count, trial.draft_rules["wants_it"]) == (2, 5, 5)


def test_there_is_an_end_to_trials_at_once(lab: Lab) -> None:
    inside: list[Trial] = []

    def again(*_: object) -> None:
        if len(inside) < trial_service.MOST_AT_ONCE:
            inside.append(lab.trials._in_turn("mine", text_of(), again))

    with pytest.raises(Busy):
        lab.trials._in_turn("mine", text_of(), again)
    assert lab.trials.on_calls("mine", text_of(), Since()).tried == 0  # all turns were given back


def test_pasted_lines_are_tried_without_times(lab: Lab) -> None:
    text = playbook_text(
        rule(id="wants", condition={"phrases": ["i want it"]}, match=["i want it"]),
        rule(id="asks", type="discovery_question", role="agent", condition={"phrases": ["what do you"]},
             match=["what do you"]),
        timed_rule(),
    )  # fmt: skip
    given = segments_in("Agent: So what do you think?\nCustomer:  I want it.\nand i want it soon\n\nDana: no")
    trial = lab.trials.on_segments("mine", text, given, "en")
    assert [(hit.moment.role, hit.moment.rule) for hit in trial.found.shown] == [
        ("agent", "asks"),
        ("customer", "wants"),
        ("customer", "wants"),
    ]
    assert {(hit.call_id, hit.is_timed) for hit in trial.found.shown} == {(None, False)}
    assert trial.tried == 1


def test_segments_with_times_are_tried_in_time_too(lab: Lab) -> None:
    text = playbook_text(timed_rule())
    given = [
        GivenSegment("Hello there", None, Role.AGENT, 0.0, 2.0),
        GivenSegment("Hello", None, Role.CUSTOMER, 12.0, 13.0),
    ]
    (hit,) = lab.trials.on_segments("mine", text, given, "en").found.shown
    evidence = hit.moment.evidence
    assert (hit.moment.type, evidence.start_s, evidence.end_s) == ("dead_air", 2.0, 12.0)
    assert hit.is_timed
    with pytest.raises(ValidationFailed, match="start_time"):
        lab.trials.on_segments("mine", text, [given[0], GivenSegment("Hm")], "en")


def test_signals_of_one_type_that_start_apart_are_two_findings(lab: Lab) -> None:
    given = [
        GivenSegment("Hello", None, Role.AGENT, 0.0, 1.0),
        GivenSegment("Well", None, Role.CUSTOMER, 8.0, 9.0),
        GivenSegment("So", None, Role.AGENT, 20.0, 21.0),
    ]
    lab.publish(playbook_text(timed_rule()))
    strict = playbook_text(timed_rule(condition={"dead_air": {"at_least_s": 10}}))
    trial = lab.trials.on_segments("mine", strict, given, "en")
    assert [hit.moment.evidence.start_s for hit in trial.found.shown] == [9.0]
    assert trial.only_draft.count == 0
    assert [hit.moment.evidence.start_s for hit in trial.only_current.shown] == [1.0]


@pytest.mark.parametrize(
    ("line", "speaker", "role", "text"),
    [
        ("Agent: hello", None, Role.AGENT, "hello"),
        ("  CUSTOMER :  hi  there ", None, Role.CUSTOMER, "hi  there"),
        ("Dana O'Neil-Smith: hi", "Dana O'Neil-Smith", Role.UNKNOWN, "hi"),
        ("it costs 3:30 an hour", None, Role.UNKNOWN, "it costs 3:30 an hour"),
        ("http://example.com", None, Role.UNKNOWN, "http://example.com"),
    ],
)
def test_a_pasted_line(line: str, speaker: str | None, role: Role, text: str) -> None:
    assert segments_in(f"\n{line}\n  \n") == [GivenSegment(text, speaker, role)]


def _rows(database: Database) -> dict[str, int]:
    with database.snapshot() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }
