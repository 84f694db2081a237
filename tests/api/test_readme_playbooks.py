"""The curl lines of the README's section on playbooks do what they say."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from tests.api.clients import started
from tests.process.service import tone

ROOT = Path(__file__).resolve().parents[2]
SERVER = "http://127.0.0.1:8000"


def curl_lines(title: str = "Playbooks") -> list[list[str]]:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition(f"\n## {title}\n")[2]
    block = section.partition("```bash\n")[2].partition("```")[0].replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in block.splitlines() if line.startswith("curl")]


def request_of(arguments: list[str]) -> dict[str, Any]:
    """What httpx needs to send the same."""
    asked: dict[str, Any] = {"method": None, "headers": {}, "data": {}, "files": {}}
    rest = iter(arguments[1:])
    for argument in rest:
        if argument == "-X":
            asked["method"] = next(rest)
        elif argument == "-H":
            name, _, value = next(rest).partition(": ")
            asked["headers"][name] = value
        elif argument == "-d":
            asked["content"] = next(rest)
        elif argument == "--data-binary":
            asked["content"] = (ROOT / next(rest).removeprefix("@")).read_bytes()
        elif argument == "-F":
            name, _, value = next(rest).partition("=")
            if value.startswith("@"):
                assert (ROOT / value[1:]).is_file()
                asked["files"][name] = ("call.wav", tone())  # the scripted engine hears the same in any
            else:
                asked["data"][name] = value
        else:
            assert argument.startswith(SERVER), argument
            asked["url"] = argument.removeprefix(SERVER)
    asked["method"] = asked["method"] or ("POST" if "content" in asked or asked["files"] else "GET")
    return {name: value for name, value in asked.items() if value}


def test_every_line_is_answered(tmp_path: Path) -> None:
    lines = curl_lines()
    assert len(lines) == 9
    answers = []
    with started(tmp_path) as client:
        for line in lines:
            asked = request_of([part.replace("REVISION", _revision(client)) for part in line])
            answer = client.request(**asked)
            assert answer.status_code == 200, f"{line}: {answer.text}"
            answers.append(answer)
    _, _, pasted, published, result, listed, text, *_ = answers
    assert [hit["rule"] for hit in pasted.json()["hits"]["items"]] == ["price_against_budget"]
    assert published.json()["state"] == "published"
    assert result.json()["playbook"] == {"name": "acme", "revision": published.json()["revision"]}
    assert [moment["rule"] for moment in result.json()["moments"]] == ["price_against_budget"]
    assert "acme" in [item["name"] for item in listed.json()["items"]]
    assert text.text == (ROOT / "samples" / "acme.yaml").read_text(encoding="utf-8")


def _revision(client: TestClient) -> str:
    draft = client.get("/playbooks/acme/draft").json()
    return str(draft.get("revision"))
