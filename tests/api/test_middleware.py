"""Who gets past the gate, and what an answer looks like when something goes wrong."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.api.errors import install_error_handlers
from app.api.middleware import JSON_BODY_LIMIT, Gate, Linger, RequestContext
from app.core.door import Door
from app.core.logging import JsonFormatter
from tests.settings import make_settings

JSON = {"Content-Type": "application/json"}


class Body(BaseModel):
    number: int


def make_client(tmp_path: Path, **settings: Any) -> TestClient:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "healthy"}

    @app.get("/things")
    async def things() -> dict[str, str]:
        return {"here": "yes"}

    @app.post("/things")
    async def make(body: Body) -> dict[str, int]:
        return {"number": body.number}

    @app.post("/raw")
    async def raw(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("SELECT secret FROM /etc/passwd")

    made = make_settings(tmp_path, **settings)
    app.add_middleware(Gate, settings=made, door=Door(made.api_keys))
    app.add_middleware(Linger)
    app.add_middleware(RequestContext)
    return TestClient(app, raise_server_exceptions=False)


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "instance", "code", "request_id"} <= set(body)
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == response.headers["x-request-id"]
    return body


def test_framework_errors_have_the_one_shape(tmp_path: Path) -> None:
    client = make_client(tmp_path)
    assert_problem(client.get("/nowhere"), 404, "not_found")
    answer = client.put("/things")
    assert_problem(answer, 405, "method_not_allowed")
    assert "allow" in answer.headers
    body = assert_problem(client.post("/things", content=b"{not json", headers=JSON), 422, "validation_error")
    assert body["errors"] == [{"field": "body", "message": "is not valid JSON"}]
    body = assert_problem(client.post("/things", content=b'{"number": 1}'), 422, "validation_error")
    assert "Content-Type: application/json" in body["errors"][0]["message"]
    body = assert_problem(client.post("/things", json={"number": "x"}), 422, "validation_error")
    assert body["errors"][0]["field"] == "number"


def test_something_unforeseen_shows_nothing_but_its_request_id(tmp_path: Path) -> None:
    answer = make_client(tmp_path).get("/crash")
    body = assert_problem(answer, 500, "internal_error")
    assert "SELECT" not in answer.text
    assert "Traceback" not in answer.text
    assert body["request_id"] in body["detail"]


@pytest.mark.parametrize("sent", ["abc-123", "A.b_9"])
def test_a_request_id_is_taken_over(tmp_path: Path, sent: str) -> None:
    answer = make_client(tmp_path).get("/health", headers={"X-Request-ID": sent})
    assert answer.headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["a b", "x" * 65, "<script>", "", "ü"])
def test_a_hostile_request_id_is_replaced(tmp_path: Path, sent: str) -> None:
    answer = make_client(tmp_path).get("/health", headers={"X-Request-ID": sent.encode("utf-8")})
    assert answer.headers["x-request-id"] != sent
    assert len(answer.headers["x-request-id"]) == 32


def test_keys_guard_everything_but_health(tmp_path: Path) -> None:
    client = make_client(tmp_path, api_keys=("right", "other"))
    assert client.get("/health").status_code == 200
    refused = client.get("/things")
    assert_problem(refused, 401, "unauthorized")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert_problem(client.get("/nowhere"), 401, "unauthorized")
    for header in ("Bearer wrong", "Bearer ", "Basic right", "right", "Bearer right x"):
        assert_problem(client.get("/things", headers={"Authorization": header}), 401, "unauthorized")
    for key in ("right", "other"):
        assert client.get("/things", headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver:9999"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_foreign_page_may_not_change_anything(tmp_path: Path, headers: dict[str, str]) -> None:
    client = make_client(tmp_path)
    assert_problem(client.post("/things", json={"number": 1}, headers=headers), 403, "forbidden_origin")
    assert client.get("/things", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}],
)
def test_its_own_pages_and_programs_may(tmp_path: Path, headers: dict[str, str]) -> None:
    assert make_client(tmp_path).post("/things", json={"number": 1}, headers=headers).status_code == 200


def test_cors_origins_open_the_gate(tmp_path: Path) -> None:
    client = make_client(tmp_path, cors_origins=("https://crm.example",))
    headers = {"Origin": "https://crm.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/things", json={"number": 1}, headers=headers).status_code == 200


def test_a_name_made_to_point_at_loopback_is_refused(tmp_path: Path) -> None:
    app = make_client(tmp_path).app
    local = TestClient(app, base_url="http://127.0.0.1:8000")
    assert local.get("/things").status_code == 200
    assert local.get("/things", headers={"Host": "localhost:8000"}).status_code == 200
    assert_problem(local.get("/things", headers={"Host": "rebound.evil.example"}), 403, "forbidden_origin")
    allowed = make_client(tmp_path, allowed_hosts=("calls.example",)).app
    client = TestClient(allowed, base_url="http://127.0.0.1:8000")
    assert client.get("/things", headers={"Host": "calls.example"}).status_code == 200


def test_a_large_body_is_refused_before_and_while_it_is_read(tmp_path: Path) -> None:
    client = make_client(tmp_path)
    declared = client.post("/raw", content=b"x" * (JSON_BODY_LIMIT + 1))
    assert_problem(declared, 413, "upload_too_large")

    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 65536

    assert_problem(client.post("/raw", content=chunks()), 413, "upload_too_large")
    assert client.post("/raw", content=b"x" * 1000).json() == {"size": 1000}


def test_each_request_is_one_line_without_its_path(tmp_path: Path) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("app.api.middleware")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    try:
        make_client(tmp_path).get("/things?customer=secret")
    finally:
        logger.removeHandler(handler)
        logger.setLevel("NOTSET")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["route"], line["status"]) == ("request.ended", "/things", 200)
    assert line["request_id"]
    assert "secret" not in stream.getvalue()
