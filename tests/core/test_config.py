"""Settings: defaults, lists, and bad values that name their variable."""

from __future__ import annotations

import os

import pytest

from app.core.config import Settings, available_cores, load_settings
from app.core.exceptions import ConfigurationError


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in list(os.environ):
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)
    monkeypatch.chdir(str(tmp_path))


def test_defaults_are_those_of_the_documentation() -> None:
    settings = load_settings()
    assert settings.database_url == "sqlite:///./darwix.db"
    assert settings.whisper_model_size == "base"
    assert settings.stt_provider == ("faster_whisper", "whisper", "pocketsphinx")
    assert settings.sentiment_provider == ("transformer", "embedding", "lexicon")
    assert settings.tts_provider == ("gtts", "pyttsx3")
    assert settings.diarization_provider == ("channel", "pyannote", "voiceprint", "pauses")
    assert settings.sentiment_enabled is True
    assert settings.coachable_confidence_threshold == 0.5
    assert settings.max_upload_bytes == 50 * 1024 * 1024
    assert settings.max_audio_s == 240 * 60
    assert (settings.db_pool_size, settings.db_max_overflow) == (5, 10)
    assert settings.allow_external_engines is False


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAX_UPLOAD_SIZE_MB", "lots"),
        ("MAX_UPLOAD_SIZE_MB", "0"),
        ("COACHABLE_CONFIDENCE_THRESHOLD", "1.5"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "nonsense"),
        ("STORAGE_URL", "/tmp/data"),
        ("STORAGE_URL", "s3://"),
        ("STORAGE_URL", "s3://bucket/pre fix"),
        ("S3_ENDPOINT_URL", "minio:9000"),
        ("S3_ENDPOINT_URL", "http://name:secret@minio:9000"),
        ("S3_ACCESS_KEY_ID", "alone"),
        ("LOG_LEVEL", "LOUD"),
        ("SENTIMENT_ENABLED", "perhaps"),
        ("STT_PROVIDER", " , "),
        ("CORS_ORIGINS", "crm.example.com"),
        ("PORT", "70000"),
    ],
)
def test_a_bad_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        load_settings()


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_UPLOAD_SIZE_MB", "")
    monkeypatch.setenv("API_KEYS", "")
    settings = load_settings()
    assert settings.max_upload_size_mb == 50
    assert settings.api_keys == ()


def test_lists_are_split_and_keys_stay_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STT_PROVIDER", " whisper , pocketsphinx,whisper ")
    monkeypatch.setenv("API_KEYS", "alpha, beta")
    settings = load_settings()
    assert settings.stt_provider == ("whisper", "pocketsphinx")
    assert [key.get_secret_value() for key in settings.api_keys] == ["alpha", "beta"]
    assert "alpha" not in repr(settings)


def test_threads_default_to_the_cores_of_this_process() -> None:
    assert load_settings().threads == available_cores()
    assert load_settings(engine_threads=3).threads == 3


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(("told", "heard"), [("auto", None), ("", None), ("3", 3)])
def test_the_number_of_speakers(monkeypatch: pytest.MonkeyPatch, told: str, heard: int | None) -> None:
    monkeypatch.setenv("NUM_SPEAKERS", told)
    assert load_settings().num_speakers == heard


@pytest.mark.parametrize(("told", "heard"), [("0", 0), ("1", 1), ("", None)])
def test_the_agents_channel(monkeypatch: pytest.MonkeyPatch, told: str, heard: int | None) -> None:
    monkeypatch.setenv("AGENT_CHANNEL", told)
    assert load_settings().agent_channel == heard


@pytest.mark.parametrize(("name", "told"), [("AGENT_CHANNEL", "2"), ("NUM_SPEAKERS", "many")])
def test_a_wrong_number_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, told: str) -> None:
    monkeypatch.setenv(name, told)
    with pytest.raises(ConfigurationError, match=name):
        load_settings()
