"""Speech kept on disk: once spoken, bounded, private, forgotten on demand, and never in the way."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.exceptions import StageFailed
from app.services.tts.cache import SpeechCache, SpeechKey

ROOT = Path(__file__).resolve().parents[3]
KEY = SpeechKey("pyttsx3", "en-us", "en", "Tuesday at ten works well for us.")
HOUR_S = 3600.0
SPEAK_IN_PROCESS = """
import sys, time
from pathlib import Path
from app.services.tts.cache import SpeechCache, SpeechKey
root, folder, log = map(Path, sys.argv[1:])

def speak():
    with log.open("a") as file:
        file.write("spoken\\n")
    time.sleep(0.3)
    path = folder / "spoken.wav"
    path.write_bytes(b"sound")
    return path

folder.mkdir()
cache = SpeechCache(root, limit_bytes=1000, kept_s=60, wait_s=60)
assert cache.spoken("a", SpeechKey("e", "v", "en", "text"), folder, speak).read_bytes() == b"sound"
"""


class Voice:
    """Writes a new file whenever it is asked, and counts."""

    def __init__(self, folder: Path, sound: bytes = b"sound", suffix: str = ".wav") -> None:
        self.folder = folder
        self.sound = sound
        self.suffix = suffix
        self.times = 0
        self._lock = threading.Lock()

    def __call__(self) -> Path:
        with self._lock:
            self.times += 1
            path = self.folder / f"spoken-{self.times}{self.suffix}"
        path.write_bytes(self.sound)
        return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def make_cache(tmp_path: Path, limit_bytes: int = 10_000, kept_s: float = HOUR_S) -> SpeechCache:
    return SpeechCache(tmp_path / "cache", limit_bytes=limit_bytes, kept_s=kept_s, wait_s=60)


def kept_files(cache: SpeechCache) -> list[Path]:
    return [path for path in cache.root.rglob("*") if path.is_file()]


def texts(count: int) -> list[SpeechKey]:
    return [replace(KEY, text=f"text {number}") for number in range(count)]


def set_age(path: Path, age_s: float) -> None:
    now = time.time()
    os.utime(path, (now, now - age_s))


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_the_same_text_is_spoken_once(suffix: str, tmp_path: Path, out: Path) -> None:
    voice = Voice(out, bytes(range(256)) * 300, suffix)
    cache = make_cache(tmp_path, 100_000)
    files = [cache.spoken("a", KEY, out, voice) for _ in range(3)]
    assert voice.times == 1
    assert len(set(files)) == 3
    assert {path.suffix for path in files} == {suffix}
    assert {path.read_bytes() for path in files} == {voice.sound}
    assert sorted(out.iterdir()) == sorted(files)


def test_what_the_caller_does_with_its_file_is_its_own_matter(tmp_path: Path, out: Path) -> None:
    voice, cache = Voice(out), make_cache(tmp_path)
    for _ in range(3):
        path = cache.spoken("a", KEY, out, voice)
        assert path.read_bytes() == b"sound"
        path.write_bytes(b"changed")
        path.unlink()
    assert voice.times == 1


@pytest.mark.parametrize("part", ["engine", "voice", "language", "text", "scope"])
def test_another_text_voice_engine_language_or_scope_is_another_sound(
    part: str, tmp_path: Path, out: Path
) -> None:
    cache = make_cache(tmp_path)
    cache.spoken("a", KEY, out, Voice(out))
    other = Voice(out, b"other")
    key = KEY if part == "scope" else replace(KEY, **{part: "xx"})
    assert cache.spoken("b" if part == "scope" else "a", key, out, other).read_bytes() == b"other"
    assert other.times == 1


@given(
    st.lists(st.text(max_size=4), min_size=4, max_size=4),
    st.lists(st.text(max_size=4), min_size=4, max_size=4),
)
def test_keys_are_the_same_only_for_the_same(one: list[str], other: list[str]) -> None:
    assert (SpeechKey(*one).digest == SpeechKey(*other).digest) is (one == other)


def test_threads_that_ask_at_the_same_time_share_one_synthesis(tmp_path: Path, out: Path) -> None:
    cache, entered, may_end = make_cache(tmp_path), threading.Event(), threading.Event()
    voice = Voice(out)

    def speak() -> Path:
        entered.set()
        assert may_end.wait(60)
        return voice()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(cache.spoken, "a", KEY, out, speak) for _ in range(8)]
        assert entered.wait(60)
        # Another text waits for nobody.
        assert cache.spoken("a", texts(1)[0], out, Voice(out, b"other")).read_bytes() == b"other"
        may_end.set()
        files = {each.result() for each in asked}
    assert voice.times == 1
    assert len(files) == 8
    assert {path.read_bytes() for path in files} == {b"sound"}
    assert len(kept_files(cache)) == 2


def test_processes_that_ask_at_the_same_time_share_one_synthesis(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = [
        [
            sys.executable,
            "-c",
            SPEAK_IN_PROCESS,
            str(tmp_path / "cache"),
            str(tmp_path / f"out-{number}"),
            str(log),
        ]
        for number in range(4)
    ]
    processes = [subprocess.Popen(command, cwd=ROOT) for command in commands]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    assert log.read_text() == "spoken\n"


def test_who_waited_long_enough_speaks_itself(tmp_path: Path, out: Path) -> None:
    cache = SpeechCache(tmp_path / "cache", limit_bytes=1000, kept_s=60, wait_s=0.05)
    entered, may_end = threading.Event(), threading.Event()

    def hang() -> Path:
        entered.set()
        assert may_end.wait(60)
        return Voice(out)()

    with ThreadPoolExecutor(1) as pool:
        hung = pool.submit(cache.spoken, "a", KEY, out, hang)
        assert entered.wait(60)
        assert cache.spoken("a", KEY, out, Voice(out, b"mine")).read_bytes() == b"mine"
        may_end.set()
        hung.result()


def test_a_failure_is_not_kept(tmp_path: Path, out: Path) -> None:
    def fail() -> Path:
        raise StageFailed("tts", "out of breath")

    cache = make_cache(tmp_path)
    with pytest.raises(StageFailed, match="out of breath"):
        cache.spoken("a", KEY, out, fail)
    assert kept_files(cache) == []
    assert cache.spoken("a", KEY, out, Voice(out)).read_bytes() == b"sound"


def test_the_least_recently_used_goes_first(tmp_path: Path, out: Path) -> None:
    cache = make_cache(tmp_path, 3 * 1200)
    voice = Voice(out, b"x" * 1000)
    first, second, third, fourth = texts(4)
    for key in (first, second, third, first, fourth):
        cache.spoken("a", key, out, voice)
    assert voice.times == 4
    for key in (first, third, fourth):
        cache.spoken("a", key, out, voice)
    assert voice.times == 4
    cache.spoken("a", second, out, voice)
    assert voice.times == 5


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.integers(0, 900)), max_size=25),
    limit_bytes=st.integers(100, 2000),
)
def test_it_never_holds_more_than_its_limit(
    asked: list[tuple[int, str, int]], limit_bytes: int, tmp_path: Path, out: Path
) -> None:
    cache = make_cache(tmp_path, limit_bytes)
    for number, scope, size in asked:
        key, sound = replace(KEY, text=f"{number} {size}"), bytes([number]) * size
        assert cache.spoken(scope, key, out, Voice(out, sound)).read_bytes() == sound
        assert sum(path.stat().st_size for path in kept_files(cache)) <= limit_bytes
    shutil.rmtree(cache.root, ignore_errors=True)


def test_a_sound_larger_than_the_limit_drives_nothing_out(tmp_path: Path, out: Path) -> None:
    cache = make_cache(tmp_path, 500)
    small = Voice(out)
    cache.spoken("a", KEY, out, small)
    for _ in range(2):
        assert len(cache.spoken("a", texts(1)[0], out, Voice(out, b"x" * 1000)).read_bytes()) == 1000
    cache.spoken("a", KEY, out, small)
    assert small.times == 1


def test_without_room_nothing_is_kept(tmp_path: Path, out: Path) -> None:
    cache, voice = make_cache(tmp_path, 0), Voice(out)
    for _ in range(2):
        cache.spoken("a", KEY, out, voice)
    assert voice.times == 2
    assert not cache.root.exists()


def test_a_limit_of_zero_removes_what_was_kept_before(tmp_path: Path, out: Path) -> None:
    make_cache(tmp_path).spoken("a", KEY, out, Voice(out))
    cache = make_cache(tmp_path, 0)
    assert cache.sweep() == 1
    assert kept_files(cache) == []


@pytest.mark.parametrize("age_s", [2 * HOUR_S, -2 * HOUR_S], ids=["old", "from the future"])
def test_what_is_too_old_is_spoken_again(age_s: float, tmp_path: Path, out: Path) -> None:
    cache, voice = make_cache(tmp_path), Voice(out)
    cache.spoken("a", KEY, out, voice)
    (kept,) = kept_files(cache)
    set_age(kept, age_s)
    cache.spoken("a", KEY, out, voice)
    cache.spoken("a", KEY, out, voice)
    assert voice.times == 2


def test_using_a_sound_does_not_make_it_younger(tmp_path: Path, out: Path) -> None:
    cache, voice = make_cache(tmp_path), Voice(out)
    cache.spoken("a", KEY, out, voice)
    (kept,) = kept_files(cache)
    set_age(kept, HOUR_S - 60)
    made_ns = kept.stat().st_mtime_ns
    cache.spoken("a", KEY, out, voice)
    assert voice.times == 1
    assert kept.stat().st_mtime_ns == made_ns


def test_what_is_too_old_is_removed_by_the_sweep_and_by_the_next_sound(tmp_path: Path, out: Path) -> None:
    cache = make_cache(tmp_path)
    for key in texts(2):
        cache.spoken("a", key, out, Voice(out))
    young, old = kept_files(cache)
    set_age(old, 2 * HOUR_S)
    assert cache.sweep() == 1
    assert kept_files(cache) == [young]
    set_age(young, 2 * HOUR_S)
    cache.spoken("b", KEY, out, Voice(out))
    assert len(kept_files(cache)) == 1
    assert not young.parent.exists()


def test_a_forgotten_scope_leaves_nothing(tmp_path: Path, out: Path) -> None:
    cache = make_cache(tmp_path)
    for scope in ("call A", "call B"):
        for key in texts(3):
            cache.spoken(scope, key, out, Voice(out, b"marmalade"))
    cache.forget("call A")
    cache.forget("call A")
    cache.forget("call never seen")
    assert len(kept_files(cache)) == 3
    voice = Voice(out)
    cache.spoken("call B", texts(1)[0], out, voice)
    assert voice.times == 0
    cache.forget("call B")
    assert {path.name for path in cache.root.rglob("*")} == {"scopes", "locks"}


def test_forgetting_is_possible_while_others_speak(tmp_path: Path, out: Path) -> None:
    cache = make_cache(tmp_path)

    def work(number: int) -> None:
        for key in texts(5):
            assert cache.spoken("a", key, out, Voice(out / str(number))).read_bytes() == b"sound"
            if number % 2:
                cache.forget("a")

    for number in range(6):
        (out / str(number)).mkdir()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    cache.forget("a")
    assert kept_files(cache) == []


def test_everything_is_for_this_user_alone(tmp_path: Path, out: Path) -> None:
    before = os.umask(0)
    try:
        cache = make_cache(tmp_path)
        copy = [cache.spoken("a", KEY, out, Voice(out)) for _ in range(2)][1]
    finally:
        os.umask(before)
    paths = [cache.root, *cache.root.rglob("*"), copy]
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {0o600}


def test_no_name_shows_words(tmp_path: Path, out: Path) -> None:
    cache = make_cache(tmp_path)
    cache.spoken("call CALL-1", KEY, out, Voice(out))
    names = " ".join(str(path.relative_to(cache.root)) for path in cache.root.rglob("*"))
    assert "Tuesday" not in names
    assert "CALL-1" not in names


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "no head", "other suffix", "binary", "folder"])
def test_a_damaged_file_is_a_miss(damage: str, tmp_path: Path, out: Path) -> None:
    cache, voice = make_cache(tmp_path), Voice(out, b"sound" * 100)
    cache.spoken("a", KEY, out, voice)
    (kept,) = kept_files(cache)
    content = kept.read_bytes()
    kept.unlink()
    if damage == "folder":
        kept.mkdir()
    else:
        kept.write_bytes(
            {
                "cut": content[:-1],
                "flipped": content[:-1] + bytes([content[-1] ^ 1]),
                "empty": b"",
                "no head": voice.sound,
                "other suffix": content.replace(b".wav", b"/../", 1),
                "binary": bytes(range(256)),
            }[damage]
        )
    for _ in range(2):
        assert cache.spoken("a", KEY, out, voice).read_bytes() == voice.sound
    assert voice.times == (3 if damage == "folder" else 2)
    assert len(list(out.iterdir())) == 3


@pytest.mark.parametrize("lost", ["scopes", "locks", "."])
def test_a_folder_that_vanishes_is_made_again(lost: str, tmp_path: Path, out: Path) -> None:
    cache, voice = make_cache(tmp_path), Voice(out)
    cache.spoken("a", KEY, out, voice)
    shutil.rmtree(cache.root / lost)
    for _ in range(2):
        assert cache.spoken("a", KEY, out, voice).read_bytes() == b"sound"
    assert voice.times == (1 if lost == "locks" else 2)
    assert cache.sweep() == 0


def test_a_full_disk_keeps_nothing_and_hinders_nobody(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    cache, voice = make_cache(tmp_path), Voice(out)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        for _ in range(2):
            assert cache.spoken("a", KEY, out, voice).read_bytes() == b"sound"
    assert voice.times == 2
    assert kept_files(cache) == []
    assert [record.message for record in caplog.records] == ["tts.not_kept"] * 2


def test_a_place_that_cannot_be_written_hinders_nobody(tmp_path: Path, out: Path) -> None:
    (tmp_path / "cache").write_text("a file, where a folder should be")
    cache, voice = make_cache(tmp_path), Voice(out)
    for _ in range(2):
        assert cache.spoken("a", KEY, out, voice).read_bytes() == b"sound"
    cache.forget("a")
    assert voice.times == 2
    assert cache.sweep() == 0


def test_what_killed_processes_left_is_swept(tmp_path: Path, out: Path) -> None:
    cache = make_cache(tmp_path)
    cache.spoken("a", KEY, out, Voice(out))
    (kept,) = kept_files(cache)
    (cache.root / "locks" / "of-the-dead.lock").touch()
    (cache.root / "part").write_bytes(b"half a sound")
    assert cache.sweep() == 1
    assert kept_files(cache) == [kept]
