"""Comments at a time of a call, as clients send and get them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.core.readable import is_readable
from app.schemas.comment import Comment, CommentChange, Keep

LONGEST_COMMENT = 2000
LONGEST_AUTHOR = 128


def _printable(value: str) -> str:
    text = value.replace("\r\n", "\n").strip()
    if not text or not all(map(is_readable, text.split("\n"))):
        raise ValueError("must be printable characters, in one or more lines")
    return text


def _one_line(value: str | None) -> str | None:
    if value is not None and (not value.strip() or not is_readable(value)):
        raise ValueError("must be one line of printable characters")
    return value and value.strip()


CommentText = Annotated[str, Field(max_length=LONGEST_COMMENT), AfterValidator(_printable)]
Author = Annotated[str | None, Field(max_length=LONGEST_AUTHOR), AfterValidator(_one_line)]
TimeSeconds = Annotated[
    float, Field(ge=0, allow_inf_nan=False, description="Seconds from the start of the recording.")
]


class CommentRequest(BaseModel):
    """A comment at a time of the call."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"time_seconds": 6.4, "text": "Ask what it is compared with.", "author": "Robin"}
        },
    )

    time_seconds: TimeSeconds
    text: CommentText
    author: Author = None


class CommentPatch(BaseModel):
    """What is to be another about a comment; a field that is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"text": "Ask first what it is compared with."}}
    )

    time_seconds: TimeSeconds | None = None
    text: CommentText | None = None
    author: Author = Field(None, description="null takes the name away.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.change == CommentChange():
            raise ValueError("names no change: give time_seconds, text or author")
        return self

    @property
    def change(self) -> CommentChange:
        author = self.author if "author" in self.model_fields_set else Keep.KEEP
        return CommentChange(self.time_seconds, self.text, author)


class CommentModel(BaseModel):
    """A comment at a time of a call."""

    id: str
    time_seconds: float
    text: str
    author: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, comment: Comment) -> CommentModel:
        return cls(
            id=comment.id,
            time_seconds=round(comment.time_s, 3),
            text=comment.text,
            author=comment.author,
            created_at=comment.created_at,
            updated_at=comment.updated_at,
        )


class CallComments(BaseModel):
    """All comments on a call, in order of time."""

    items: list[CommentModel]

    @classmethod
    def of(cls, comments: Iterable[Comment]) -> CallComments:
        return cls(items=[CommentModel.of(comment) for comment in comments])
