"""Playbooks that are missing, broken, or not as they were thought to be."""

from __future__ import annotations

from app.core.exceptions.base import ConfigurationError, InputError


class PlaybookMissing(ConfigurationError):
    """No file has this name."""


class UnknownPlaybook(InputError):
    """A call asks for a playbook that there is not."""

    code = "unknown_playbook"
    title = "There is no such playbook to analyse the call by"


class PlaybookNotFound(InputError):
    code = "playbook_not_found"
    status = 404
    title = "There is no such playbook"


class PlaybookRevisionNotFound(InputError):
    code = "playbook_revision_not_found"
    status = 404
    title = "The playbook has no such revision"


class PlaybookDraftNotFound(InputError):
    code = "playbook_draft_not_found"
    status = 404
    title = "The playbook has no draft"


class PlaybookDraftExists(InputError):
    code = "playbook_draft_exists"
    status = 409
    title = "The playbook has a draft already"


class PlaybookDraftChanged(InputError):
    """What `If-Match` names is not the draft as it is now."""

    code = "playbook_draft_changed"
    status = 412
    title = "The draft was changed meanwhile"


class PlaybookInvalid(InputError):
    code = "playbook_invalid"
    title = "The playbook cannot be used"


class PlaybookExamplesFailed(InputError):
    code = "playbook_examples_failed"
    title = "Rules of the playbook do not do what their examples say"


class PlaybookTooLarge(InputError):
    code = "playbook_too_large"
    status = 413
    title = "The playbook is too large"


class TooManyPlaybooks(InputError):
    code = "too_many_playbooks"
    status = 409
    title = "There are as many stored playbooks as there may be"
