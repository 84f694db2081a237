"""Enough of Kustomize to see what deploy/kubernetes makes: resources, components, generators, patches."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]


def render(folder: Path) -> list[Manifest]:
    """What `kubectl kustomize` gives, but for hashes in names, namespaces, images and common labels."""
    wanted = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    found: list[Manifest] = []
    for name in wanted.get("resources", []):
        path = folder / name
        found += render(path) if path.is_dir() else read(path)
    for name in wanted.get("components", []):
        found += render(folder / name)
    for kind, field in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        for generator in wanted.get(field, []):
            _generate(found, kind, generator, folder)
    for patch in wanted.get("patches", []):
        (change,) = read(folder / patch["path"])
        for target in _targets(found, patch.get("target"), change):
            _merge(target, {key: value for key, value in change.items() if key == "spec"})
    return found


def read(path: Path) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def variables(path: Path) -> dict[str, str]:
    """The lines of a file of variables."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _generate(found: list[Manifest], kind: str, generator: Manifest, folder: Path) -> None:
    data = {name: value for file in generator["envs"] for name, value in variables(folder / file).items()}
    name = generator["name"]
    same = [item for item in found if item["kind"] == kind and item["metadata"]["name"] == name]
    if generator.get("behavior") == "merge":
        same[0]["data"].update(data)
        return
    assert not same, f"two generators make {kind} {name}"
    found.append({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": data})


def _targets(found: list[Manifest], target: Manifest | None, change: Manifest) -> list[Manifest]:
    wanted = target or {"kind": change["kind"], "name": change["metadata"]["name"]}
    return [
        item
        for item in found
        if re.fullmatch(wanted["kind"], item["kind"])
        and re.fullmatch(wanted.get("name", ".*"), item["metadata"]["name"])
    ]


def _merge(target: Any, change: Any) -> None:
    """Strategic merge: dicts by key, lists of named items by name, everything else replaced."""
    for key, value in change.items():
        there = target.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            _merge(there, value)
        elif isinstance(value, list) and isinstance(there, list) and "name" in (value[0] or {}):
            _merge_named(there, value)
        else:
            target[key] = copy.deepcopy(value)


def _merge_named(there: list[Manifest], change: list[Manifest]) -> None:
    by_name = {item["name"]: item for item in there}
    for item in change:
        if item["name"] in by_name:
            _merge(by_name[item["name"]], item)
        else:
            there.append(copy.deepcopy(item))
