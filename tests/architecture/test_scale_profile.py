"""docker-compose.yml's profile `scale`: its parts fit together, and none is more open than it has to be."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from app.core.config import Settings
from tests.architecture.commands import check_command
from tests.process.service import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
ALL: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVICES = {name: service for name, service in ALL.items() if "scale" in service.get("profiles", [])}
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("darwix-ai:")}
WORKERS = {name: service for name, service in OURS.items() if name.startswith("worker-")}
LASTING = {name: service for name, service in SERVICES.items() if "restart" in service}
PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
DEFAULTS = {"MINIO_PASSWORD": "of-minio", "API_KEYS": "a-key"}


def interpolated(value: str, variables: dict[str, str]) -> str:
    """As Compose does it: ``${NAME:-default}``."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: variables.get(found[1]) or found[2], value)


def environment(service: dict[str, Any], **variables: str) -> dict[str, str]:
    return {
        name: interpolated(str(value), variables) for name, value in service.get("environment", {}).items()
    }


def test_all_parts_are_there() -> None:
    assert set(WORKERS) == {"worker-transcribe", "worker-analyze", "worker-bulk"}
    assert {"gateway", "api-scaled", "rabbitmq", "postgres", "postgres-replica", "minio"} <= set(SERVICES)


def test_what_it_depends_on_is_in_it() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} depends on {other}"
            condition = how["condition"]
            assert condition != "service_healthy" or "test" in SERVICES[other]["healthcheck"]
            assert condition != "service_completed_successfully" or "restart" not in SERVICES[other]


def test_the_gateway_brings_everything() -> None:
    brought: set[str] = set()
    waiting = ["gateway"]
    while waiting:
        name = waiting.pop()
        brought.add(name)
        waiting += [other for other in SERVICES[name].get("depends_on", {}) if other not in brought]
    assert brought == set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_its_variables_are_settings_and_valid_together(name: str) -> None:
    values = {key.lower(): value for key, value in environment(OURS[name], **DEFAULTS).items()}
    assert set(values) <= set(Settings.model_fields)
    assert Settings(_env_file=None, env_ignore_empty=True, **{k: v for k, v in values.items() if v}).api_keys


@pytest.mark.parametrize("name", OURS)
def test_its_addresses_are_those_of_its_services(name: str) -> None:
    values = environment(OURS[name])
    ports = {"postgres": None, "postgres-replica": None, "rabbitmq": 5672, "minio": 9000}
    for variable, host in (
        ("DATABASE_URL", "postgres"),
        ("DATABASE_READ_URL", "postgres-replica"),
        ("QUEUE_URL", "rabbitmq"),
        ("S3_ENDPOINT_URL", "minio"),
    ):
        address = urlsplit(values[variable])
        assert (address.hostname, address.port) == (host, ports[host])


def test_passwords_come_from_the_environment_and_are_the_same_on_both_sides() -> None:
    given = {
        name: f"given-{name.lower()}" for name in ("POSTGRES_PASSWORD", "RABBITMQ_PASSWORD", "MINIO_PASSWORD")
    }
    ours = environment(SERVICES["api-scaled"], **given)
    postgres = environment(SERVICES["postgres"], **given)
    for variable in ("DATABASE_URL", "DATABASE_READ_URL"):
        address = urlsplit(ours[variable])
        assert (address.username, address.password) == (
            postgres["POSTGRES_USER"],
            postgres["POSTGRES_PASSWORD"],
        )
        assert address.path == f"/{postgres['POSTGRES_DB']}"
    broker, rabbitmq = urlsplit(ours["QUEUE_URL"]), environment(SERVICES["rabbitmq"], **given)
    assert broker.username == rabbitmq["RABBITMQ_DEFAULT_USER"]
    assert broker.password == rabbitmq["RABBITMQ_DEFAULT_PASS"] == given["RABBITMQ_PASSWORD"]
    minio = environment(SERVICES["minio"], **given)
    assert ours["S3_ACCESS_KEY_ID"] == minio["MINIO_ROOT_USER"]
    assert ours["S3_SECRET_ACCESS_KEY"] == minio["MINIO_ROOT_PASSWORD"] == given["MINIO_PASSWORD"]
    maker = urlsplit(environment(SERVICES["minio-bucket"], **given)["MC_HOST_store"])
    assert (maker.username, maker.password) == (ours["S3_ACCESS_KEY_ID"], ours["S3_SECRET_ACCESS_KEY"])


def test_replica_and_primary_agree() -> None:
    given = {"REPLICATION_PASSWORD": "x"}
    prepared = environment(SERVICES["postgres-prepare"], **given)
    replica = environment(SERVICES["postgres-replica"], **given)
    for variable in ("REPLICATION_PASSWORD", "REPLICATION_SLOT"):
        assert prepared[variable] == replica[variable]
    assert prepared["PGHOST"] == replica["PRIMARY_HOST"] == "postgres"
    folder = SERVICES["postgres-replica"]["volumes"][1].split(":")[1]
    assert replica["PGDATA"].startswith(f"{folder}/")


def test_the_bucket_that_is_made_is_the_one_that_is_used() -> None:
    bucket = SERVICES["minio-bucket"]["command"][-1].removeprefix("store/")
    assert environment(OURS["api-scaled"])["STORAGE_URL"].startswith(f"s3://{bucket}/")


@pytest.mark.parametrize("name", [name for name in OURS if "command" in OURS[name]])
def test_commands_are_the_services_own(name: str) -> None:
    check_command(OURS[name]["command"])
    test = OURS[name]["healthcheck"].get("test")
    if name in WORKERS:
        check_command(test[1:])


def test_each_worker_has_a_queue_of_its_own_and_time_to_hand_back() -> None:
    for name, worker in WORKERS.items():
        assert worker["command"][3:6] == ["worker", "--queues", name.removeprefix("worker-")]
        assert int(worker["stop_grace_period"].removesuffix("s")) > 30
        assert worker["restart"] == "unless-stopped"  # one that has gone deaf ends by itself


@pytest.mark.parametrize("name", SERVICES)
def test_services_gain_no_privilege_and_run_as_nobody(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    # These images name a user of their own; who gives a volume away needs to own it first.
    own_user = service["image"].startswith(("darwix-ai:", "nginxinc/nginx-unprivileged:"))
    assert own_user or service["user"] not in ("root", "0") or service["cap_add"] == ["CHOWN"]


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "rabbitmq"])
def test_file_systems_are_read_only(name: str) -> None:
    """But for RabbitMQ's, which writes settings of its own beside its data."""
    assert SERVICES[name]["read_only"] is True


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_watched_and_ends_in_peace(name: str) -> None:
    assert LASTING[name]["healthcheck"]["test"][0] == "CMD"
    assert int(LASTING[name]["stop_grace_period"].removesuffix("s")) >= 45


def test_images_are_pinned() -> None:
    for name, service in ALL.items():
        tag = service["image"].rpartition(":")[2]
        assert re.search(r"\d", tag), f"{name}: {service['image']}"


def test_volumes_and_mounted_files_exist() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]
            assert not source.startswith("./") or mount.endswith(":ro")


def test_files_of_its_commands_are_mounted() -> None:
    for name in ("postgres", "postgres-prepare", "postgres-replica"):
        words = " ".join([*SERVICES[name].get("entrypoint", []), *SERVICES[name].get("command", [])])
        mounts = [mount.split(":")[:2] for mount in SERVICES[name]["volumes"] if mount.startswith("./")]
        for path in re.findall(r"/(?:deploy|etc)/\S+", words):
            places = [ROOT / path.replace(inside, outside, 1) for outside, inside in mounts if inside in path]
            assert any(place.is_file() for place in places), path


def test_nothing_but_the_gateway_is_published_and_it_on_loopback() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"gateway"}
    assert SERVICES["gateway"]["ports"] == ["127.0.0.1:8080:8080"]


def test_the_gateway_stands_before_the_replicas() -> None:
    text = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text(encoding="utf-8")
    assert re.findall(r"server (\S+) resolve", text) == ["api-scaled:8000"]
    assert re.findall(r"^ +listen (\d+)", text, re.MULTILINE) == ["8080"]
    assert "/etc/nginx/nginx.conf:ro" in SERVICES["gateway"]["volumes"][0]
    assert float(SERVICES["gateway"]["image"].rpartition(":")[2].partition("-")[0].split(".")[1]) >= 28


def test_replicas_believe_the_gateway_that_a_visitor_came_by_https() -> None:
    """Docker's networks have private addresses; nothing else reaches a replica."""
    trusted = environment(SERVICES["api-scaled"])["FORWARDED_ALLOW_IPS"].split(",")
    assert set(map(ip_network, trusted)) == set(PRIVATE)
    text = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text(encoding="utf-8")
    assert re.search(r"proxy_set_header X-Forwarded-Proto +\$outer_scheme;", text)


def test_the_gateway_waits_as_long_as_the_service_may_take() -> None:
    text = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text(encoding="utf-8")
    defaults = Settings(_env_file=None)
    longest = re.search(r"location = /transcribe \{[^}]*proxy_read_timeout (\d+)s", text)
    assert longest
    assert int(longest[1]) >= defaults.call_deadline_factor * defaults.max_audio_s
    patience = re.search(r"client_body_timeout +(\d+)s", text)
    assert patience
    assert int(patience[1]) > defaults.upload_timeout_s
