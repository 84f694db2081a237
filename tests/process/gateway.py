"""nginx with the configuration of deploy/nginx, before upstreams of a test's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.process.service import ROOT, free_port, wait_until

CONFIGURATION = ROOT / "deploy" / "nginx" / "nginx.conf"


@contextmanager
def gateway(*ports: int) -> Iterator[str]:
    """The address of a gateway before the replicas on ``ports``. It runs as nobody, as in its image."""
    nginx = nginx_program()
    user = "nobody" if os.geteuid() == 0 else None
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, log = folder / "nginx.conf", folder / "nginx.log"
        file.write_text(localised(folder, port, ports))
        log.touch()
        if user:
            for path in (folder, log):
                shutil.chown(path, user)
        command = [nginx, "-c", str(file), "-e", "stderr"]
        with log.open("ab") as output:
            subprocess.run([*command, "-t", "-q"], check=True, user=user, stdout=output)
            process = subprocess.Popen(
                [*command, "-g", "daemon off;"], stdout=output, stderr=output, user=user
            )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _answers(process, url, log), "nginx to listen")
            yield url
        finally:
            process.terminate()
            process.wait(30)


def localised(folder: Path, port: int, replicas: tuple[int, ...]) -> str:
    """The configuration with addresses and folders of a test: nothing else in it changes.

    Names are looked up by Docker there and not at all here, so `resolve`, which Debian's nginx is too old
    for, goes as well.
    """
    text = CONFIGURATION.read_text(encoding="utf-8")
    text, resolvers = re.subn(r"\n *resolver .*", "", text)
    server = r"( *server )api-scaled:8000 resolve( .*;)"
    text, servers = re.subn(
        server, "\n".join(rf"\g<1>127.0.0.1:{replica}\g<2>" for replica in replicas), text
    )
    text, listens = re.subn(r"listen 8080 ", f"listen 127.0.0.1:{port} ", text)
    assert (resolvers, servers, listens) == (1, 1, 1)
    return text.replace("/tmp/", f"{folder}/")


def nginx_program() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("nginx is not installed here")
    return found


def _answers(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return httpx.get(f"{url}/metrics").status_code == 404  # which the gateway answers by itself
    except httpx.TransportError:
        return False
