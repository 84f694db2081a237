"""Swagger UI at `/docs` and ReDoc at `/redoc`, from files of this package: no CDN, no inline script."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import FileResponse, HTMLResponse

STATIC = Path(__file__).parent / "static"

# An allow-list, and not a folder served whole: no name from a client ever becomes a path.
MEDIA_TYPES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "redoc.standalone.js": "text/javascript; charset=utf-8",
    "api-description.js": "text/javascript; charset=utf-8",
    "swagger-init.js": "text/javascript; charset=utf-8",
    "redoc-init.js": "text/javascript; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}

# Both viewers write style elements as they render, hence 'unsafe-inline' for styles; scripts stay 'self'.
POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)


@dataclass(frozen=True)
class DocsPage:
    """One documentation page: the files that it loads and what it needs beyond the common policy."""

    title: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    extra_policy: tuple[str, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Security-Policy": "; ".join((*POLICY, *self.extra_policy)),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }


SWAGGER = DocsPage(
    title="Darwix AI: API",
    styles=("swagger-ui.css", "docs.css"),
    scripts=("swagger-ui-bundle.js", "api-description.js", "swagger-init.js"),
)
REDOC = DocsPage(
    title="Darwix AI: API reference",
    styles=("docs.css",),
    scripts=("redoc.standalone.js", "api-description.js", "redoc-init.js"),
    extra_policy=("worker-src blob:",),  # its search runs in a worker made from the bundle itself
)


@cache
def _address(name: str) -> str:
    """Address of an asset relative to the page (a prefix set by a proxy holds), new when its bytes are."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"static/docs/{name}?v={digest}"


@cache
def _html(page: DocsPage) -> str:
    styles = "\n".join(f'<link rel="stylesheet" href="{_address(name)}">' for name in page.styles)
    scripts = "\n".join(f'<script src="{_address(name)}" defer></script>' for name in page.scripts)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(page.title)}</title>
<link rel="icon" type="image/svg+xml" href="{_address("favicon.svg")}">
{styles}
{scripts}
</head>
<body>
<main id="api">
<noscript>This page needs JavaScript; see <a href="openapi.json">openapi.json</a></noscript>
</main>
</body>
</html>
"""


def docs_router() -> APIRouter:
    """Routes of the two pages and their assets; none of them holds anything of a call."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def swagger() -> HTMLResponse:
        return HTMLResponse(_html(SWAGGER), headers=SWAGGER.headers)

    @router.get("/redoc")
    def redoc() -> HTMLResponse:
        return HTMLResponse(_html(REDOC), headers=REDOC.headers)

    @router.get("/static/docs/{name}")
    def asset(name: str) -> Response:
        if name not in MEDIA_TYPES:
            raise HTTPException(status_code=404)
        return FileResponse(
            STATIC / name,
            media_type=MEDIA_TYPES[name],
            headers={
                "Cache-Control": "public, max-age=31536000, immutable",
                "X-Content-Type-Options": "nosniff",
            },
        )

    return router
