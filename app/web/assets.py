"""Scripts, styles and pictures of the pages: files of this package, addressed by what is in all of them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from app.web.addresses import STATIC

FOLDER = Path(__file__).parent / "static"
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}

router = APIRouter(include_in_schema=False)


@cache
def _files() -> dict[str, Path]:
    """An allow-list, and not a folder served whole: no name from a client ever becomes a path."""
    found = (path for path in sorted(FOLDER.rglob("*")) if path.suffix in MEDIA_TYPES)
    return {path.relative_to(FOLDER).as_posix(): path for path in found}


@cache
def _release() -> str:
    """Another one whenever any file is another: scripts may import one another by relative names."""
    digest = hashlib.sha256()
    for name, path in _files().items():
        digest.update(f"{name}\x00{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file under `static/`. Raises KeyError for one that is not there."""
    return f"{STATIC}{_release()}/{_files()[name].relative_to(FOLDER).as_posix()}"


@router.get(STATIC + "{release}/{name:path}")
def read_asset(release: str, name: str) -> Response:
    path = _files().get(name)
    if path is None:
        return Response(status_code=404)
    # While replicas change over, a page of one release may ask another for its files.
    kept = "public, max-age=31536000, immutable" if release == _release() else "no-cache"
    return FileResponse(path, media_type=MEDIA_TYPES[path.suffix], headers={"Cache-Control": kept})
