"""`/ui/playbooks/{name}`: a playbook's rules with their precision from verdicts, and its revisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request, Response

from app.api.deps import ServicesDep
from app.api.playbooks import PlaybookPath
from app.schemas.playbook import PlaybookSource, RevisionFacts, RevisionState
from app.services.coachable.playbook import Playbook
from app.web.addresses import PLAYBOOKS, playbook_address
from app.web.contexts.base import Choice
from app.web.contexts.playbooks import PlaybookPage, RevisionLine, RuleCard, RuleFilters
from app.web.formatting import spelled
from app.web.forms import HxTarget, TextField, address_of, asked_of
from app.web.frame import FrameDep
from app.web.playbooks.rules import card_of, rules_of
from app.web.rendering import render, see_other

ANY = "any"
ORDERS = {"": "As they are written", "unsure": "Least precise first", "judged": "Most verdicts first"}

router = APIRouter(include_in_schema=False)


@router.get(PLAYBOOKS + "/{name}")
def show_playbook(
    name: PlaybookPath,
    request: Request,
    frame: FrameDep,
    services: ServicesDep,
    hx_target: HxTarget = None,
) -> Response:
    known = services.playbooks.known(name)
    asked = asked_of(request)
    book = services.library.current(name).playbook if known.current else None
    current, rules, revisions = services.playbooks.report(name)
    over_all = {found.rule: found for found in rules}
    of_current = {found.rule: found for found in revisions if found.revision == current}
    cards = tuple(card_of(rule, over_all, of_current) for rule in rules_of(book)) if book else ()
    language = asked.get("language") or _language(book)
    page = PlaybookPage(
        frame=frame,
        name=name,
        description=book.description if book else None,
        is_file=known.source is PlaybookSource.FILE,
        is_default=name == services.library.default,
        revision=known.current.revision if known.current else None,
        version=known.current.version if known.current else "",
        draft=known.draft.revision if known.draft else None,
        drafted_at=known.draft.updated_at if known.draft else None,
        filters=_filters(asked, language, cards, book),
        rules=_wanted(cards, asked, language),
        all_rules=len(cards),
        judged=sum(found.reviewed for found in rules),
        right=sum(found.right for found in rules),
        revisions=_revisions(*services.playbooks.revisions(name)),
    )
    return render(page, address=address_of(playbook_address(name), asked) if hx_target == "rules" else None)


@router.post(PLAYBOOKS + "/{name}/current")
def make_current(name: PlaybookPath, services: ServicesDep, revision: TextField) -> Response:
    """An earlier revision again: calls from the next one on are analysed by it."""
    services.playbooks.publish(name, revision)
    return see_other(playbook_address(name))


def _language(book: Playbook | None) -> str:
    """The one that is shown at first: English, as all that is built in has it."""
    if book is None or len(book.languages) < 2 or "en" not in book.languages:
        return ANY
    return "en"


def _filters(
    asked: Mapping[str, str], language: str, cards: Sequence[RuleCard], book: Playbook | None
) -> RuleFilters:
    kind, order = asked.get("type"), asked.get("order", "")
    languages = {ANY: "Any language", **{code: code for code in sorted(book.languages if book else ())}}
    return RuleFilters(
        kinds=tuple(
            Choice(one, spelled(one), one == kind) for one in dict.fromkeys(card.kind for card in cards)
        ),
        languages=tuple(Choice(code, words, code == language) for code, words in languages.items()),
        orders=tuple(Choice(one, words, one == order) for one, words in ORDERS.items()),
    )


def _wanted(cards: Sequence[RuleCard], asked: Mapping[str, str], language: str) -> tuple[RuleCard, ...]:
    """Rules found in time are of every language."""
    kind, order = asked.get("type"), asked.get("order")
    wanted = [
        card
        for card in cards
        if (kind is None or card.kind == kind)
        and (language == ANY or not card.languages or language in card.languages)
    ]
    if order == "unsure":
        wanted.sort(key=lambda card: card.precision.low if card.precision else 2)
    elif order == "judged":
        wanted.sort(key=lambda card: -(card.precision.reviewed if card.precision else 0))
    return tuple(wanted)


def _revisions(facts: Sequence[RevisionFacts], current: str | None) -> tuple[RevisionLine, ...]:
    return tuple(
        RevisionLine(
            revision=one.revision,
            version=one.version,
            rules=one.rules,
            is_draft=one.state is RevisionState.DRAFT,
            is_current=one.state is RevisionState.PUBLISHED and one.revision == current,
            at=one.updated_at if one.state is RevisionState.DRAFT else one.published_at,
            may_return=one.published_at is not None
            and one.state is RevisionState.PUBLISHED
            and one.revision != current,
        )
        for one in facts
    )
