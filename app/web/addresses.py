"""Where the pages are. Calls are at `/`; everything else is under `/ui/`, beside the JSON routes."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from app.api import middleware

HOME = "/"
FOLDER = middleware.PAGES
LOGIN = middleware.LOGIN
STATIC = middleware.STATIC
CALLS = f"{FOLDER}calls"
AGENTS = f"{FOLDER}agents"
REELS = f"{FOLDER}reels"
PLAYBOOKS = f"{FOLDER}playbooks"
CLIPS = f"{FOLDER}clips"
DOCS = ("/docs", "/redoc")
"""The API's own documentation: a browser that opens it may have to sign in first."""


def is_page(path: str) -> bool:
    """Whether people look at ``path`` in a browser: its errors are pages, too."""
    return path == HOME or path.startswith(FOLDER)


def call_address(call_id: str, place: str = "", *, whole: bool = False) -> str:
    """``place``: an element of the page. ``whole``: with all that was said, also of a long call."""
    asked = "?whole=true" if whole else ""
    return f"{CALLS}/{quote(call_id, safe='')}{asked}" + (f"#{place}" if place else "")


def agent_address(agent_id: str) -> str:
    return f"{AGENTS}/{quote(agent_id, safe='')}"


def playbook_address(name: str) -> str:
    return f"{PLAYBOOKS}/{quote(name, safe='')}"


def local_or_home(address: str | None) -> str:
    """``address`` if it is a page of ours, else where the calls are: no link leads a login elsewhere."""
    if not address or not address.isprintable() or "\\" in address:
        return HOME
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets that hold no IPv6 address
        return HOME
    is_ours = is_page(parts.path) or parts.path in DOCS
    if parts.scheme or parts.netloc or not is_ours or address.startswith("//"):
        return HOME
    return HOME if parts.path.startswith((LOGIN, STATIC)) else address
