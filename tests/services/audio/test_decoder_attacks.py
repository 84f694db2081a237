"""Files that name other files, put straight to the decoder: nothing is opened but what was handed in."""

from __future__ import annotations

import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.exceptions import AudioRejected
from tests.services.audio.attacks import attack_corpus
from tests.services.audio.canaries import FileCanary, PortCanary
from tests.services.audio.recordings import ffmpeg, make_decoder, make_limits, sweep, write_wav

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="file canaries watch through inotify")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Another customer's recording, in a folder beside the attack's."""
    folder = tmp_path / "other"
    folder.mkdir()
    return write_wav(folder / "secret.wav", sweep(1, 8000), 8000)


@pytest.mark.parametrize(
    ("ending", "way"), [("wav", "absolute"), ("mp3", "absolute"), ("wav", "relative"), ("mp3", "sibling")]
)
def test_nothing_else_is_opened(ending: str, way: str, secret: Path, tmp_path: Path) -> None:
    scratch, uploads = tmp_path / "scratch", tmp_path / "uploads"
    scratch.mkdir()
    uploads.mkdir()
    # The worst place for it: the very folder in which the decoder runs.
    sibling = Path(shutil.copy(secret, scratch / "sibling.wav"))
    names = {"absolute": str(secret), "relative": "../other/secret.wav", "sibling": "sibling.wav"}

    with FileCanary(secret) as beside, FileCanary(sibling) as inside, PortCanary() as port:
        for name, content in attack_corpus(names[way], port.port):
            upload = uploads / f"{name}.{ending}"
            upload.write_bytes(content)
            with pytest.raises(AudioRejected):
                make_decoder(wall_s=10).decode(upload, scratch)
            assert not beside.touched() and not inside.touched(), name
            assert not port.touched(), name
            assert [path.name for path in scratch.iterdir()] == ["sibling.wav"], name


def test_the_canaries_sing(secret: Path, tmp_path: Path) -> None:
    """What a careless command line would do, so that silence above means something."""
    attack = tmp_path / "attack.wav"
    attack.write_text(f"ffconcat version 1.0\nfile '{secret}'\n")
    limits = make_limits().run()

    with FileCanary(secret) as canary:
        assert not canary.touched()
        ffmpeg().run(["-safe", "0", "-i", attack.name, "-f", "null", "-"], tmp_path, limits)
        assert canary.touched()

    with PortCanary() as port:
        attack.write_text(f"ffconcat version 1.0\nfile 'http://127.0.0.1:{port.port}/a.wav'\n")
        options = ["-safe", "0", "-protocol_whitelist", "file,http,tcp"]
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(
                ffmpeg().run, [*options, "-i", attack.name, "-f", "null", "-"], tmp_path, limits
            )
            while not (touched := port.touched()) and not run.done():
                time.sleep(0.01)
        assert touched


def test_a_link_in_a_container_is_not_followed(secret: Path, tmp_path: Path) -> None:
    """A QuickTime film may say that its sound lies in another file."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    film = tmp_path / "film.mov"
    film.write_bytes(_film_that_refers_to(secret))

    with FileCanary(secret) as canary:
        with pytest.raises(AudioRejected):
            make_decoder().decode(film, scratch)
        assert not canary.touched()
        careless = ["-enable_drefs", "1", "-use_absolute_path", "1", "-i", film.name, "-f", "null", "-"]
        ffmpeg().run(careless, tmp_path, make_limits().run())
        assert canary.touched()


def _film_that_refers_to(target: Path) -> bytes:
    def atom(kind: bytes, content: bytes) -> bytes:
        return (8 + len(content)).to_bytes(4, "big") + kind + content

    def words(*values: int) -> bytes:
        return b"".join(value.to_bytes(4, "big") for value in values)

    path = bytes(target) + bytes(len(bytes(target)) % 2)
    alias = bytes(10 + 28 + 12 + 64 + 16 + 4 + 16)
    alias += b"\0\2" + len(path).to_bytes(2, "big") + path + b"\xff\xff\0\0"
    link = atom(b"alis", words(0) + alias)
    sound = words(0, 1) + bytes(8) + b"\0\1\0\x10" + bytes(4) + (8000 << 16).to_bytes(4, "big")
    table = b"".join(
        (
            atom(b"stsd", words(0, 1) + atom(b"sowt", sound)),
            atom(b"stts", words(0, 1, 8000, 1)),
            atom(b"stsc", words(0, 1, 1, 8000, 1)),
            atom(b"stsz", words(0, 2, 8000)),
            atom(b"stco", words(0, 1, 44)),
        )
    )
    info = (
        atom(b"smhd", words(0, 0)) + atom(b"dinf", atom(b"dref", words(0, 1) + link)) + atom(b"stbl", table)
    )
    media = (
        atom(b"mdhd", words(0, 0, 0, 8000, 8000, 0))
        + atom(b"hdlr", words(0) + b"mhlrsoun" + bytes(13))
        + atom(b"minf", info)
    )
    track = atom(b"tkhd", words(1, 0, 0, 1, 0, 8000) + bytes(60)) + atom(b"mdia", media)
    header = atom(b"mvhd", words(0, 0, 0, 8000, 8000) + bytes(80))
    return atom(b"ftyp", b"qt  " + bytes(4) + b"qt  ") + atom(b"moov", header + atom(b"trak", track))
