"""PostgreSQL servers of a test's own, started as docker-compose.yml does, by the installed programs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from tests.process.service import ROOT, free_port, wait_until

SCRIPTS = ROOT / "deploy" / "postgres"
PASSWORD = r"re:pli\ca 'tor"
"""Of the replica, with all that needs quoting somewhere."""


@dataclass(frozen=True)
class Server:
    """One running server. ``folder`` holds its data and its log."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"postgresql://darwix@127.0.0.1:{self.port}/darwix"

    def ask(self, statement: str) -> Any:
        """The first value that ``statement`` gives, None where it gives none."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row and row[0]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder for one server's data, with the files of deploy/postgres in ``deploy``.

    The server runs as a user who may not look into the folders of whoever runs the tests.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(SCRIPTS, folder / "deploy")
        if user := _user():
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, user)
        yield folder


@contextmanager
def primary(folder: Path) -> Iterator[Server]:
    """A primary with an empty database ``darwix``, ready for a replica."""
    data = folder / "data"
    _run(["initdb", "--pgdata", str(data), "--username", "darwix", "--auth", "trust", "--no-sync"])
    server = _start(folder, ["postgres", *_arguments("postgres", folder), "-D", str(data)])
    try:
        _run(
            ["createdb", "--host", "127.0.0.1", "--port", str(server.port), "--username", "darwix", "darwix"]
        )
        prepare(server)
        yield server
    finally:
        server.stop()


def prepare(server: Server) -> None:
    """What the service `postgres-prepare` does."""
    _run(
        ["sh", str(server.folder / "deploy" / "prepare-primary.sh")],
        PGHOST="127.0.0.1",
        PGPORT=str(server.port),
        PGUSER="darwix",
        PGDATABASE="darwix",
    )


@contextmanager
def replica(folder: Path, of: Server, slot: str = "replica") -> Iterator[Server]:
    """A replica of a primary; in a folder that it was in before, it goes on."""
    server = _start(
        folder,
        ["sh", str(folder / "deploy" / "replica.sh"), *_arguments("postgres-replica", folder)],
        PGDATA=str(folder / "data"),
        PRIMARY_HOST="127.0.0.1",
        PRIMARY_PORT=str(of.port),
        REPLICATION_SLOT=slot,
        TMPDIR=str(folder),
    )
    try:
        yield server
    finally:
        server.stop()


def _start(folder: Path, command: list[str], **variables: str) -> Server:
    port = free_port()
    own = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, *own], stdout=log, stderr=log, env=_environment(**variables), user=_user(), cwd=folder
        )
    server = Server(folder, port, process)
    ready = ["pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(port)]
    wait_until(lambda: _is_up(server, ready), "PostgreSQL to start")
    return server


def _is_up(server: Server, ready: list[str]) -> bool:
    assert server.process.poll() is None, (server.folder / "server.log").read_text()
    return subprocess.run(ready, env=_environment(), check=False).returncode == 0


def _arguments(service: str, folder: Path) -> list[str]:
    """The settings that docker-compose.yml gives to ``service``, its files being in ``folder``."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return [
        re.sub(r"=/\S+/(?=[^/]+\.conf$)", f"={folder}/deploy/", argument)
        for argument in compose["services"][service]["command"]
        if argument != "postgres"
    ]


def _run(command: list[str], **variables: str) -> None:
    done = subprocess.run(
        command,
        env=_environment(**variables),
        user=_user(),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _environment(**variables: str) -> dict[str, str]:
    replication = {"REPLICATION_PASSWORD": PASSWORD, "REPLICATION_SLOT": "replica"}
    return {"PATH": f"{_programs()}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", **replication, **variables}


def _programs() -> str:
    """The folder of `initdb` and the like, which Debian keeps out of PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        reason = "no PostgreSQL server is installed here (initdb)"
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(reason)
        pytest.skip(reason)
    return str(folders[-1])


def _user() -> str | None:
    """The server refuses to run as root."""
    return "postgres" if os.geteuid() == 0 else None
