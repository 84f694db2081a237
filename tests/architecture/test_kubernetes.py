"""deploy/kubernetes: everything that is referred to exists, and pods are as safe as the image."""

from __future__ import annotations

import re
import shutil
import subprocess
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import yaml

from app import __version__
from app.core.config import Settings
from tests.architecture.commands import check_command
from tests.architecture.kustomize import Manifest, read, render, variables
from tests.process.service import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
EXAMPLE = FOLDER / "overlays" / "example"
MANIFESTS = render(EXAMPLE)
QUEUES = ("transcribe", "analyze", "bulk")


def of_kind(kind: str) -> dict[str, Manifest]:
    return {item["metadata"]["name"]: item for item in MANIFESTS if item["kind"] == kind}


DEPLOYMENTS = of_kind("Deployment")
WORKLOADS = {**DEPLOYMENTS, **of_kind("Job")}
CONTAINERS = {
    (kind, name): container
    for kind in ("initContainers", "containers")
    for name, workload in WORKLOADS.items()
    for container in workload["spec"]["template"]["spec"].get(kind, [])
}


def pod(workload: Manifest) -> Manifest:
    return dict(workload["spec"]["template"]["spec"])


def main_container(workload: Manifest) -> Manifest:
    (container,) = pod(workload)["containers"]
    return dict(container)


def selected(labels: dict[str, str]) -> set[str]:
    """The workloads whose pods have these labels."""
    return {
        name
        for name, workload in WORKLOADS.items()
        if labels.items() <= workload["spec"]["template"]["metadata"]["labels"].items()
    }


def ports_of(workload: Manifest) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in main_container(workload).get("ports", [])}


def test_kubectl_makes_the_same_of_it() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed here")
    done = subprocess.run(
        ["kubectl", "kustomize", str(EXAMPLE)], capture_output=True, text=True, check=True, timeout=60
    )
    built = list(yaml.safe_load_all(done.stdout))
    assert sorted(map(_identity, built)) == sorted(map(_identity, MANIFESTS))
    for item in built:
        if item["kind"] in ("Deployment", "Job"):
            ours = WORKLOADS[item["metadata"]["name"]]
            assert _comparable(pod(item)) == _comparable(pod(ours))


def _identity(item: Manifest) -> tuple[str, str]:
    name = item["metadata"]["name"]
    return item["kind"], re.sub(r"-[a-z0-9]{10}$", "", name) if name.startswith("darwix-") else name


def _comparable(value: Any) -> Any:
    """Without what `render` leaves out; lists of named things in one order."""
    if isinstance(value, dict):
        # Common labels stand in selectors too.
        kept = {key: part for key, part in value.items() if key not in ("image", "app.kubernetes.io/name")}
        return {key: _comparable(part) for key, part in kept.items()}
    if isinstance(value, list):
        parts = [_comparable(part) for part in value]
        named = all(isinstance(part, dict) and "name" in part for part in parts)
        return sorted(parts, key=lambda part: str(part["name"])) if named else parts
    return re.sub(r"^(darwix-[a-z]+)-[a-z0-9]{10}$", r"\1", value) if isinstance(value, str) else value


def test_there_is_an_api_and_a_worker_for_each_queue() -> None:
    assert set(DEPLOYMENTS) == {"api", *(f"worker-{queue}" for queue in QUEUES)}
    for queue in QUEUES:
        command = main_container(DEPLOYMENTS[f"worker-{queue}"])["command"]
        assert command[3:6] == ["worker", "--queues", queue]


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=map("/".join, CONTAINERS))
def test_commands_and_variables_are_the_services_own(container: Manifest) -> None:
    check_command(container["command"])
    assert {item["name"].lower() for item in container.get("env", [])} <= set(Settings.model_fields)
    for source in container["envFrom"]:
        ((kind, reference),) = source.items()
        made = of_kind({"configMapRef": "ConfigMap", "secretRef": "Secret"}[kind])[reference["name"]]
        assert {name.lower() for name in made["data"]} <= set(Settings.model_fields)


def test_settings_of_the_files_are_valid_together() -> None:
    (config,), (secrets,) = of_kind("ConfigMap").values(), of_kind("Secret").values()
    values = {name.lower(): value for name, value in {**config["data"], **secrets["data"]}.items()}
    settings = Settings(_env_file=None, **values)
    assert settings.api_keys
    assert settings.database_read_url
    assert not {"password", "secret", "key"} & set(re.findall(r"[a-z]+", " ".join(config["data"]).lower()))


def test_pods_believe_the_ingress_that_a_visitor_came_by_https() -> None:
    (config,) = of_kind("ConfigMap").values()
    trusted = [ip_network(name) for name in config["data"]["FORWARDED_ALLOW_IPS"].split(",")]
    for address in ("10.42.0.7", "100.64.3.4", "192.168.17.2", "fd00::7"):
        assert any(ip_address(address) in network for network in trusted)
    assert not any(ip_address("203.0.113.9") in network for network in trusted)


def test_example_carries_no_real_secret() -> None:
    for value in variables(EXAMPLE / "secrets.env").values():
        assert "change-me" in value


@pytest.mark.parametrize("name", WORKLOADS)
def test_pods_run_as_nobody_and_write_to_volumes_alone(name: str) -> None:
    spec = pod(WORKLOADS[name])
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    volumes = {volume["name"] for volume in spec["volumes"]}
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert set(mounts.values()) <= volumes
        assert {"/tmp", "/models"} <= set(mounts)
        assert container["resources"]["limits"]["memory"]


def test_folders_of_the_settings_are_volumes() -> None:
    config = of_kind("ConfigMap")["darwix-config"]["data"]
    for workload in WORKLOADS.values():
        mounts = [mount["mountPath"] for mount in main_container(workload)["volumeMounts"]]
        for name in ("WORK_DIR", "WHISPER_MODEL_DIR", "SENTIMENT_MODEL_DIR"):
            assert any(f"{config[name]}/".startswith(f"{mount}/") for mount in mounts)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_lasts_is_watched_and_may_end_in_peace(name: str) -> None:
    deployment = DEPLOYMENTS[name]
    assert selected(deployment["spec"]["selector"]["matchLabels"]) == {name}
    assert pod(deployment)["terminationGracePeriodSeconds"] > 30
    container = main_container(deployment)
    probes = [
        container[probe]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        if probe in container
    ]
    assert len(probes) == (3 if name == "api" else 2)
    for probe in probes:
        if name == "api":
            assert probe["httpGet"]["port"] in ports_of(deployment)
        else:
            check_command(probe["exec"]["command"])
    assert "replicas" not in deployment["spec"]  # an autoscaler's say would be undone by each apply


def test_the_api_lives_without_its_database_and_is_ready_with_it() -> None:
    container = main_container(DEPLOYMENTS["api"])
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_metrics_are_announced_where_they_are(name: str) -> None:
    annotations = DEPLOYMENTS[name]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    assert int(annotations["prometheus.io/port"]) in ports_of(DEPLOYMENTS[name]).values()
    config = of_kind("ConfigMap")["darwix-config"]["data"]
    if name.startswith("worker-"):
        assert ports_of(DEPLOYMENTS[name]) == {"metrics": int(config["WORKER_METRICS_PORT"])}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_maintenance_never_takes_all_of_it_away(name: str) -> None:
    budget = of_kind("PodDisruptionBudget")[name]["spec"]
    assert selected(budget["selector"]["matchLabels"]) == {name}
    assert budget.get("minAvailable") == 1 or budget.get("maxUnavailable") == 1


def test_service_and_ingress_lead_to_the_api() -> None:
    service = of_kind("Service")["api"]["spec"]
    assert selected(service["selector"]) == {"api"}
    (port,) = service["ports"]
    assert port["targetPort"] in ports_of(DEPLOYMENTS["api"])
    (rule,) = of_kind("Ingress")["api"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert path["backend"]["service"] == {"name": "api", "port": {"name": port["name"]}}


def test_every_deployment_has_one_autoscaler() -> None:
    (scaler,) = of_kind("HorizontalPodAutoscaler").values()
    targets = [scaler["spec"]["scaleTargetRef"]["name"]]
    targets += [item["spec"]["scaleTargetRef"]["name"] for item in of_kind("ScaledObject").values()]
    assert sorted(targets) == sorted(DEPLOYMENTS)


@pytest.mark.parametrize("queue", QUEUES)
def test_workers_follow_the_depth_of_their_own_queue(queue: str) -> None:
    scaled = of_kind("ScaledObject")[f"worker-{queue}"]["spec"]
    (trigger,) = scaled["triggers"]
    assert trigger["metadata"]["query"] == f'max(darwix_queue_depth{{queue="{queue}"}})'
    assert float(trigger["metadata"]["threshold"]) >= 1
    assert scaled["minReplicaCount"] < scaled["maxReplicaCount"]


def test_policies_speak_of_pods_and_ports_that_there_are() -> None:
    reached = {}
    for name, policy in of_kind("NetworkPolicy").items():
        pods = selected(policy["spec"]["podSelector"].get("matchLabels", {}))
        assert pods
        for rule in policy["spec"].get("ingress", []):
            assert rule["from"]
            for port in rule["ports"]:
                assert all(port["port"] in ports_of(WORKLOADS[pod_name]) for pod_name in pods)
                reached[name] = pods
    assert reached == {"api-ingress": {"api"}, "worker-metrics": {f"worker-{queue}" for queue in QUEUES}}
    assert "ingress" not in of_kind("NetworkPolicy")["deny-ingress"]["spec"]


def test_egress_reaches_the_servers_of_the_secrets_and_no_metadata() -> None:
    _, rule = of_kind("NetworkPolicy")["egress"]["spec"]["egress"]
    ports = {port["port"] for port in rule["ports"]}
    assert {443, 5432, 5672} <= ports
    (destination,) = rule["to"]
    assert destination["ipBlock"]["except"] == ["169.254.0.0/16"]


def test_only_the_component_needs_what_a_cluster_may_not_have() -> None:
    assert not [item for item in render(FOLDER / "base") if "keda" in item["apiVersion"]]
    (component,) = {item["apiVersion"] for item in render(FOLDER / "components" / "keda")}
    assert component == "keda.sh/v1alpha1"


def test_the_patch_for_gpus_fits_its_deployment() -> None:
    (patch,) = read(EXAMPLE / "gpu.yaml")
    target = DEPLOYMENTS[patch["metadata"]["name"]]
    assert main_container(patch)["name"] == main_container(target)["name"]
    assert "gpu.yaml" in (EXAMPLE / "kustomization.yaml").read_text(encoding="utf-8")


def test_images_are_of_this_version() -> None:
    (image,) = yaml.safe_load((EXAMPLE / "kustomization.yaml").read_text(encoding="utf-8"))["images"]
    assert image["newTag"] == __version__
    for workload in WORKLOADS.values():
        containers = [*pod(workload).get("initContainers", []), *pod(workload)["containers"]]
        assert {container["image"] for container in containers} == {image["name"]}
