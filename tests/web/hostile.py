"""What nobody who means well sends: values for every parameter of every route, drawn by a seed."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.schemas.requests import CallFilterQuery

SCRIPT_TAG = "<script>alert(1)</script>"
VALUES: tuple[str, ...] = (
    "",
    " ",
    "x",
    "0",
    "-1",
    "1",
    "1e9",
    "99999999999999999999",
    "NaN",
    "inf",
    "true",
    "null",
    "None",
    "[]",
    "{}",
    "a\x00b",
    "\x00",
    "\r\nSet-Cookie: a=b",
    "\x1b[31m",
    "'; DROP TABLE calls; --",
    '"',
    '"a" OR NEAR(b, c) -d *',
    "a*",
    "((",
    "%",
    "%00",
    "%zz",
    "_",
    "\\",
    "../../etc/passwd",
    "//evil.example",
    "//[",
    "https://[",
    "{{ 7 * 7 }}",
    SCRIPT_TAG,
    '"><img src=x onerror=alert(1)>',
    "\u202etxet",
    "\U0001f469\u200d\U0001f680 e\u0301",
    "\ufffe\uffff",
    "\ud800",
    "2026-02-30",
    "2026-02-21",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59+14:00",
    "0001-01-01T00:00:00+14:00",
    "12:40",
    "999:999:999999",
    "objection",
    "price",
    "agent",
    "speaker_0",
    "other",
    "original",
    "narrated",
    "week",
    "completed",
    "recorded",
    "declined",
    "default",
    "a: b",
    "- &a [*a, *a]",
    "name: x\nrules: [{id: a, type: objection, any: ['(a+)+$']}]",
    "x" * 300,
    "x" * 9000,
    "\u0439" * 3000,
)
"""Some are known words: they lead further in than nonsense does."""


@dataclass(frozen=True)
class Shot:
    """One request; ``body`` is a form."""

    method: str
    url: str
    body: bytes
    headers: dict[str, str]


class Hostile:
    """Draws requests. ``known``: for the name of a field or of a part of a path, what is there."""

    def __init__(self, seed: int, known: dict[str, tuple[str, ...]]) -> None:
        self._chance = random.Random(seed)
        self._known = known
        self._names = tuple(CallFilterQuery.model_fields)

    def shot(self, route: APIRoute) -> Shot:
        parts = route.dependant
        named = {field.alias for field in parts.query_params if not _is_model(field.field_info.annotation)}
        drawn = self._chance.sample(self._names, self._chance.randint(0, 3))
        query = [(name, self._value(name)) for name in (*named, *drawn)]
        fields = [(field.alias, self._value(field.alias)) for field in parts.body_params]
        method = self._chance.choice(sorted(route.methods))
        url = f"{self._path(route.path)}?{_encoded(query)}"
        return Shot(method, url, _encoded(fields).encode(), self._headers())

    def _path(self, template: str) -> str:
        def part(found: re.Match[str]) -> str:
            name = found[1].partition(":")[0]
            known = self._known.get(name, ())
            chosen = (
                self._chance.choice(known) if known and self._chance.random() < 0.8 else self._value(name)
            )
            return quote(chosen[:2000].encode("utf-8", "surrogatepass"), safe="")

        return re.sub(r"\{([^}]*)\}", part, template)

    def _headers(self) -> dict[str, str]:
        headers = {
            "Accept": self._chance.choice(("text/html", "*/*", "application/json", "x;q=a, */", "")),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if self._chance.random() < 0.4:
            headers["HX-Request"] = "true"
            headers["HX-Current-URL"] = self._chance.choice(("", "x", "http://[", "/?next=//evil", "\\\\"))
            headers["HX-Target"] = self._chance.choice(("", "results", "question", "x"))
        return headers

    def _value(self, name: str) -> str:
        known = self._known.get(name, ())
        return self._chance.choice(known if known and self._chance.random() < 0.5 else VALUES)


def _encoded(pairs: list[tuple[str, str]]) -> str:
    return urlencode([(name, value.encode("utf-8", "surrogatepass")) for name, value in pairs])


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
