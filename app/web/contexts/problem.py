"""What a page says when something went wrong; the same as problem+json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.web.contexts.frame import Frame


@dataclass(frozen=True)
class FieldProblem:
    field: str
    message: str


@dataclass(frozen=True)
class ProblemPage:
    """A page of its own."""

    template: ClassVar[str] = "problem.html"

    frame: Frame
    status: int
    title: str
    detail: str
    code: str
    request_id: str
    errors: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True)
class ProblemNotice:
    """A line on the page whose script asked."""

    template: ClassVar[str] = "problem_notice.html"

    status: int
    title: str
    detail: str
    code: str
    request_id: str
    errors: tuple[FieldProblem, ...] = ()
