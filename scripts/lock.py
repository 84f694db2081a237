"""Writes requirements.txt: all that pyproject.toml with its extras `all` and `dev` leads to, pinned.

    .venv/bin/python scripts/lock.py

Asks pip's resolver for the newest set that fits the ranges; nothing is installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

# The CPU build of torch asks for no triton, so a resolver that sees that build takes the newest one for
# openai-whisper; the CUDA build (the one on PyPI) takes this one and no other. Raise it together with torch.
CONSTRAINTS = ("triton==3.7.1",)

LOCKED = ("all", "dev")

PLATFORMS = {
    'sys_platform == "linux" and platform_machine == "x86_64"': ("Linux", "linux", "x86_64"),
    'sys_platform == "linux" and platform_machine == "aarch64"': ("Linux", "linux", "aarch64"),
    'sys_platform == "darwin"': ("Darwin", "darwin", "arm64"),
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

HEADER = """\
# Every package of the service, its engines and its tests, pinned. Made from pyproject.toml by
#     .venv/bin/python scripts/lock.py
# do not edit by hand. `pip install -r requirements.txt` takes it as it is. On Linux, PyPI's torch brings
# gigabytes of CUDA libraries; the CPU build of the same version is had with
#     pip install --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt
"""


@dataclass(frozen=True)
class Target:
    """One system and Python for which the lock must hold."""

    platform: str
    python: str

    def environment(self, extra: str = "") -> dict[str, str]:
        system, sys_platform, machine = PLATFORMS[self.platform]
        return {
            "platform_system": system,
            "sys_platform": sys_platform,
            "platform_machine": machine,
            "os_name": "posix",
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "extra": extra,
        }


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    requires: tuple[Requirement, ...]


def direct_requirements(pyproject: Path) -> list[Requirement]:
    """What pyproject.toml names, with its extras ``LOCKED`` and those that they refer to."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    own, extras = canonicalize_name(project["name"]), project["optional-dependencies"]
    lines = [*project["dependencies"], *(f"{own}[{extra}]" for extra in LOCKED)]
    direct: dict[str, Requirement] = {}
    for line in lines:  # grows while it is read
        requirement = Requirement(line)
        if canonicalize_name(requirement.name) == own:
            lines += [named for extra in sorted(requirement.extras) for named in extras[extra]]
        else:
            direct.setdefault(line, requirement)
    return list(direct.values())


def resolve(direct: list[Requirement]) -> dict[str, Package]:
    """Ask pip which versions it would install for ``direct``."""
    with tempfile.TemporaryDirectory() as folder:
        constraints, report = Path(folder, "constraints.txt"), Path(folder, "report.json")
        constraints.write_text("\n".join(CONSTRAINTS), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--constraint", str(constraints), "--report", str(report), *map(str, direct)]
        subprocess.run(command, check=True)
        installs: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
    packages: dict[str, Package] = {}
    for metadata in (item["metadata"] for item in installs):
        name = canonicalize_name(metadata["name"])
        requires = tuple(Requirement(line) for line in metadata.get("requires_dist", ()))
        packages[name] = Package(name, metadata["version"].partition("+")[0], requires)
    return packages


def needed_on(target: Target, direct: list[Requirement], packages: dict[str, Package]) -> dict[str, set[str]]:
    """Name -> who asks for it, over the whole closure of ``direct`` on ``target``."""
    asked_by: dict[str, set[str]] = defaultdict(set)
    todo = [("", requirement, "") for requirement in direct]
    seen = set()
    while todo:
        parent, requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate(target.environment(extra)):
            continue
        name = canonicalize_name(requirement.name)
        asked_by[name].add(parent or "pyproject.toml")
        for wanted in ("", *requirement.extras):
            if name in packages and (name, wanted) not in seen:
                seen.add((name, wanted))
                todo += [(name, child, wanted) for child in packages[name].requires]
    return asked_by


def marker_for(targets: set[Target]) -> str:
    """The environment marker that holds on ``targets`` and on no other; empty when that is all of them."""
    platforms = [name for name in PLATFORMS if any(target.platform == name for target in targets)]
    pythons = [name for name in PYTHONS if any(target.python == name for target in targets)]
    if len(targets) != len(platforms) * len(pythons):
        raise SystemExit(f"no simple marker for {sorted(map(str, targets))}: write the case")
    parts = []
    if len(platforms) < len(PLATFORMS):
        linux = [name for name in platforms if "linux" in name]
        parts.append(
            'sys_platform == "linux"' if len(linux) == 2 == len(platforms) else " or ".join(platforms)
        )
    if len(pythons) < len(PYTHONS):
        parts.append(" or ".join(f'python_version == "{python}"' for python in pythons))
    return " and ".join(f"({part})" if " or " in part else part for part in parts)


def asked(names: set[str]) -> str:
    """Who asks for a package, in few words."""
    first = sorted(names, key=lambda name: (name != "pyproject.toml", name))
    return "via " + ", ".join(first[:4]) + (", …" if len(first) > 4 else "")


def render(direct: list[Requirement], packages: dict[str, Package]) -> str:
    targets_of: dict[str, set[Target]] = defaultdict(set)
    asked_by: dict[str, set[str]] = defaultdict(set)
    for target in (Target(platform, python) for platform in PLATFORMS for python in PYTHONS):
        for name, parents in needed_on(target, direct, packages).items():
            targets_of[name].add(target)
            asked_by[name] |= parents
    lines = [HEADER.rstrip()]
    for name in sorted(targets_of.keys() - packages.keys()):
        where = f"{marker_for(targets_of[name])}; {asked(asked_by[name])}"
        lines.append(f"# Not pinned, as only other systems need it: {name} ({where}).")
    for name in sorted(packages.keys() & targets_of.keys()):
        marker = marker_for(targets_of[name])
        pin = f"{name}=={packages[name].version}" + (f" ; {marker}" if marker else "")
        lines.append(f"{pin}  # {asked(asked_by[name])}")
    return "\n".join(lines) + "\n"


def main() -> None:
    direct = direct_requirements(ROOT / "pyproject.toml")
    text = render(direct, resolve(direct))
    (ROOT / "requirements.txt").write_text(text, encoding="utf-8")
    print(f"requirements.txt: {len(re.findall('^[a-z0-9]', text, re.MULTILINE))} packages")


if __name__ == "__main__":
    main()
