"""What speakers are called."""

from __future__ import annotations

from app.schemas.speaker import Role, Speaker
from app.services.exports.labels import one_line, speaker_labels


def test_a_name_wins_over_the_role_and_the_role_over_the_id() -> None:
    speakers = [
        Speaker("speaker_0", Role.AGENT, name="Ana"), Speaker("speaker_1", Role.CUSTOMER),
        Speaker("speaker_2"),
    ]  # fmt: skip
    assert speaker_labels(speakers) == {
        "speaker_0": "Ana", "speaker_1": "Customer", "speaker_2": "speaker_2",
    }  # fmt: skip


def test_those_who_share_a_role_are_numbered() -> None:
    speakers = [
        Speaker("speaker_0", Role.AGENT), Speaker("speaker_1", Role.CUSTOMER, name=" \n "),
        Speaker("speaker_2", Role.AGENT), Speaker("speaker_3", Role.AGENT, name="Bo"),
    ]  # fmt: skip
    assert list(speaker_labels(speakers).values()) == ["Agent 1", "Customer", "Agent 2", "Bo"]


def test_one_line_holds_no_control_characters() -> None:
    assert one_line("  a\r\nb\tc\x00\u2028d  ") == "a b c d"
