"""Loops that an engine invents are cut, what people do repeat is kept, and silence says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.transcript import Word
from app.services.stt.loops import SOME, without_loops, without_sound
from tests.services.stt.makers import Samples, silence


def said(
    text: str, each_s: float, confidence: float | None = 0.9, *, swing: float = 0.0, begins_s: float = 0.5
) -> list[Word]:
    """Words ``each_s`` apart, each of them ``swing`` of that too early or too late, by chance."""
    texts = text.split()
    swings = np.random.default_rng(len(text)).uniform(-swing, swing, len(texts) + 1)
    edges = [round(float(begins_s + each_s * (at + off)), 2) for at, off in enumerate(swings)]
    return [Word(word, *edges[at : at + 2], confidence) for at, word in enumerate(texts)]


def texts(words: list[Word]) -> str:
    return " ".join(word.text for word in words)


def most_repeats(words: list[Word], longest: int = 12) -> int:
    """The largest number of times in a row that any phrase is said."""
    keys = ["".join(filter(str.isalnum, word.text.lower())) for word in words]
    most = 1
    for phrase in range(1, longest + 1):
        for first in range(len(keys)):
            unit, times = keys[first : first + phrase], 1
            while keys[first + times * phrase : first + (times + 1) * phrase] == unit:
                times += 1
            most = max(most, times)
    return most


# Shapes in which Whisper and its servers are known to loop: what, how long a word, how sure.
INVENTED = {
    "thanks, as regular as a clock": said("Thank you. " * 8, 0.5),
    "you, in no time": said("you " * 30, 0.0),
    "faster than anybody": said("okay, " * 12, 0.05, swing=0.3),
    "a window full of one sentence": said("I'm going to go to the store. " * 9, 0.3, swing=0.3),
    "a sentence, broken off": said(
        "Please subscribe to my channel. " * 7 + "Please subscribe", 0.25, swing=0.3
    ),
    "after true words": said("Good morning, how are you? " + "Bye. " * 9, 0.4),
    "unsure": said("the " * 9, 0.3, 0.2, swing=0.3),
    "two words for a whole window": said("oh no " * 14, 0.25, swing=0.3),
    "ideographs": said("谢 谢 观 看 " * 8, 0.2, swing=0.3),
    "no letters": said("♪ " * 40, 0.4, swing=0.2),
}

TRUE = {
    "no, no, no": said("No, no, no, that is not what I said.", 0.25),
    "yeah": said("yeah yeah yeah yeah", 0.2),
    "laughter": said("ha ha ha ha ha ha ha ha", 0.2, swing=0.25),
    "hurry": said("go go go go go go go", 0.22, swing=0.2),
    "counting": said("one two three four five six seven eight nine ten " * 2, 0.4),
    "a phone number": said("0 8 0 0 0 0 0 0 0 0 1 1 1 1 1 1 1", 0.5),
    "an account, by a machine": said("7 7 7 7 7 7 7 7 7", 0.5),
    "spelled": said("double zero zero zero zero zero zero zero one", 0.35, 0.8, swing=0.15),
    "thanks, at the end": said("thank you, thank you, thank you, thank you, bye bye", 0.25),
    "very much so": said("very very very very very very very important", 0.24, swing=0.2),
}


@pytest.mark.parametrize("name", INVENTED)
def test_no_phrase_of_an_invented_loop_comes_more_than_five_times(name: str) -> None:
    loop = INVENTED[name]
    kept = without_loops(loop)
    assert most_repeats(loop) > SOME
    assert most_repeats(kept) <= 2
    assert texts(loop).startswith(texts(kept))


@pytest.mark.parametrize("name", TRUE)
def test_true_repeats_are_kept(name: str) -> None:
    assert without_loops(TRUE[name]) == TRUE[name]


def test_what_comes_before_and_after_a_loop_is_kept() -> None:
    before, loop = said("so I said", 0.3), said("Thank you. " * 9, 0.4, begins_s=3)
    after = said("and then we left", 0.3, begins_s=20)
    assert texts(without_loops([*before, *loop, *after])) == "so I said Thank you. and then we left"


def test_two_loops_are_cut_apart_and_one_within_another_is_too() -> None:
    two = [*said("uh " * 9, 0.3), *said("hold on " * 9, 0.3, begins_s=5)]
    assert texts(without_loops(two)) == "uh hold on"
    nested = said(("go on " + "and " * 7) * 8, 0.02)
    assert texts(without_loops(nested)) == "go on and"


def test_the_end_of_a_segment_is_kept() -> None:
    loop = [replace(word, ends_segment=at == 17) for at, word in enumerate(said("Thank you. " * 9, 0.4))]
    assert [word.ends_segment for word in without_loops(loop)] == [False, True]


def test_an_even_beat_of_times_that_were_made_up_proves_nothing() -> None:
    measured = said("yes " * 9, 0.3)
    assert len(without_loops(measured)) == 1
    estimated = [replace(word, estimated=True) for word in measured]
    assert without_loops(estimated) == estimated


@given(st.lists(st.sampled_from(["a", "b", "no"]), max_size=60), st.sampled_from([0.0, 0.05, 0.3]))
def test_nothing_is_added_or_moved_and_twice_is_as_once(said_words: list[str], each_s: float) -> None:
    words = said(" ".join(said_words), each_s)
    kept = without_loops(words)
    assert kept == sorted(kept, key=lambda word: word.start_s)
    assert all(word in words for word in kept)
    assert most_repeats(kept) <= max(most_repeats(words), SOME)
    if most_repeats(words) <= SOME:
        assert kept == words


def test_many_words_take_no_more_than_their_share_of_time() -> None:
    words = said("a b " * 20_000, 0.2)
    assert texts(without_loops(words)) == "a b"


def tone(seconds: float, level_db: float) -> Samples:
    """A sine whose RMS is ``level_db`` below full scale."""
    times = np.arange(round(seconds * 16_000)) / 16_000
    return (np.sqrt(2) * 10 ** (level_db / 20) * np.sin(2 * np.pi * 200 * times)).astype(np.float32)


def test_words_in_digital_silence_are_dropped() -> None:
    samples = np.concatenate([tone(1, -30), silence(2), tone(1, -30)])
    words = [Word("here", 0.2, 0.8), Word("Thank", 1.5, 2.0), Word("you.", 2.5, 2.5), Word("there", 3.1, 3.5)]
    assert texts(without_sound(words, samples)) == "here there"


def test_a_word_that_reaches_into_sound_or_misses_it_by_little_is_kept() -> None:
    samples = np.concatenate([tone(1, -30), silence(2)])
    words = [Word("half", 0.9, 1.5), Word("close", 1.05, 1.5), Word("far", 1.15, 1.5)]
    assert texts(without_sound(words, samples)) == "half close"


@pytest.mark.parametrize(("level_db", "is_kept"), [(-60, True), (-69, True), (-71, False), (-90, False)])
def test_the_limit_is_minus_seventy_decibels(level_db: float, is_kept: bool) -> None:
    words = [Word("quiet", 0.5, 1.0)]
    assert bool(without_sound(words, tone(2, level_db))) is is_kept


def test_estimated_words_stand_or_fall_with_their_segment() -> None:
    samples = np.concatenate([tone(0.5, -30), silence(4)])
    spread = [Word("a", 0.2, 1.2, estimated=True), Word("b", 1.2, 2.2, ends_segment=True, estimated=True)]
    alone = [Word("c", 2.2, 3.0, estimated=True), Word("d", 3.0, 4.0, ends_segment=True, estimated=True)]
    assert texts(without_sound([*spread, *alone], samples)) == "a b"


def test_where_there_are_no_samples_there_are_no_words() -> None:
    assert without_sound([Word("a", 0.0, 0.0)], silence(0)) == []
