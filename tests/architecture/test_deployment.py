"""Image, compose file and workflow: what keeps a deployment safe is in them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.config import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def dockerfile() -> str:
    return re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", dockerfile(), re.MULTILINE)


def final_stage() -> str:
    return dockerfile().rpartition("\nFROM ")[2]


def test_image_is_built_in_stages_and_runs_as_a_numbered_user() -> None:
    assert len(instructions("FROM")) == 2
    (user,) = instructions("USER")
    assert user.isdigit()
    assert int(user) > 0
    assert "build-essential" not in final_stage()


def test_image_starts_by_an_exec_form_command_and_watches_its_health() -> None:
    (command,) = instructions("CMD")
    assert json.loads(command)[:6] == ["python", "-m", "app", "serve", "--host", "0.0.0.0"]
    (healthcheck,) = re.findall(r"^HEALTHCHECK .*?CMD (\[.+\])$", dockerfile(), re.MULTILINE)
    assert json.loads(healthcheck)[0] == "python"
    assert "/health" in json.loads(healthcheck)[-1]


def test_image_installs_the_pinned_versions_without_the_tools() -> None:
    assert '--constraint requirements.txt ".[all]"' in dockerfile()
    assert "[dev]" not in dockerfile()


def test_image_carries_no_secret_and_sets_only_known_settings() -> None:
    environment = dict(re.findall(r"\b([A-Z_]+)=(\S+)", " ".join(instructions("ENV"))))
    assert "API_KEYS" not in environment
    assert "ALLOW_NO_AUTH" not in environment
    for name in ("DATABASE_URL", "STORAGE_URL", "WHISPER_MODEL_DIR", "SENTIMENT_MODEL_DIR"):
        assert name.lower() in Settings.model_fields
        assert re.search(r"/(data|models)/", environment[name])


def test_image_is_built_from_named_files_only() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    copied = {name for line in instructions("COPY") if "--from" not in line for name in line.split()[:-1]}
    assert copied == {rule[1:] for rule in rules if rule.startswith("!")}


def test_api_is_published_on_loopback_alone() -> None:
    assert SERVICES["api"]["ports"] == ["127.0.0.1:8000:8000"]


def test_no_other_service_is_published_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_api_keeps_database_audio_and_models_in_named_volumes() -> None:
    mounts = dict(mount.split(":")[::-1] for mount in SERVICES["api"]["volumes"])
    assert mounts == {"/data": "database", "/data/audio": "audio", "/models": "models"}
    assert set(mounts.values()) <= set(COMPOSE["volumes"])


def test_api_can_write_nowhere_else_and_gains_no_privilege() -> None:
    api = SERVICES["api"]
    assert api["read_only"] is True
    assert api["cap_drop"] == ["ALL"]
    assert api["security_opt"] == ["no-new-privileges:true"]
    assert api["tmpfs"][0].startswith("/tmp:size=")


def test_api_needs_a_key_unless_told_otherwise() -> None:
    environment = SERVICES["api"]["environment"]
    assert environment["API_KEYS"] == "${API_KEYS:-}"
    assert environment["ALLOW_NO_AUTH"] == "${ALLOW_NO_AUTH:-false}"


def test_api_environment_names_known_settings() -> None:
    assert {name.lower() for name in SERVICES["api"]["environment"]} <= set(Settings.model_fields)


def test_profiles_add_services_and_none_is_on_by_default() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["api"]
    assert {profile for service in SERVICES.values() for profile in service.get("profiles", [])} == {
        "postgres",
        "redis",
        "rabbitmq",
        "scale",
    }


@pytest.mark.parametrize("name", ["api", "postgres", "redis", "rabbitmq"])
def test_every_lasting_service_watches_its_health_and_keeps_its_data(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    sources = {mount.split(":")[0] for mount in SERVICES[name]["volumes"]}
    assert {source for source in sources if not source.startswith("./")} <= set(COMPOSE["volumes"])


def test_ci_runs_what_a_developer_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = {step.get("run") for step in workflow["jobs"]["check"]["steps"]}
    assert {"make test", "make lint type", "make demo"} <= steps
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    for word in ("make test", "make lint type", "DEMO_EXIT=1 make demo", "set -euo pipefail"):
        assert word in script
