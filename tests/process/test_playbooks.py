"""A published revision holds in every process from its next call on."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.process.service import Service, running, write_script
from tests.services.playbooks import SAID, text_of


def publish(service: Service, rule_id: str) -> str:
    draft = httpx.put(
        f"{service.url}/playbooks/mine/draft",
        content=text_of(rule_id),
        headers={"Content-Type": "application/yaml"},
        timeout=60,
    )
    revision: str = draft.json()["revision"]
    assert service.post("/playbooks/mine/publish", json={"revision": revision}).status_code == 200
    return revision


def test_one_process_goes_by_what_another_has_published(tmp_path: Path) -> None:
    shared = f"sqlite:///{tmp_path / 'shared.db'}"
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
        write_script(folder)
    with running(folders[0], database_url=shared) as here, running(folders[1], database_url=shared) as there:
        for rule_id in ("before", "after"):
            revision = publish(here, rule_id)
            body = {"playbook": "mine", "segments": [{"role": "customer", "text": SAID}]}
            for service in (there, here):
                result = service.post("/analyze", json=body).json()
                assert result["playbook"] == {"name": "mine", "revision": revision}
                assert [moment["rule"] for moment in result["moments"]] == [rule_id]
