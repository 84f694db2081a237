"""Settings, .env.example and the README's table say the same."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from app.core.config import Settings
from scripts.settings_table import (
    END,
    ROOT,
    START,
    documented_settings,
    env_example,
    markdown_table,
    with_table,
)

REMEDY = "run: .venv/bin/python -m scripts.settings_table --write"


def test_every_setting_is_described_and_grouped() -> None:
    settings = documented_settings()
    assert sorted(setting.variable.lower() for setting in settings) == sorted(Settings.model_fields)
    assert all(setting.meaning and setting.group for setting in settings)


def test_env_example_is_up_to_date() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_example(documented_settings()), REMEDY


def test_readme_table_is_up_to_date() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == with_table(readme, markdown_table(documented_settings())), REMEDY


def test_env_example_read_as_it_is_or_uncommented_gives_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in set(os.environ) & {setting.variable for setting in documented_settings()}:
        monkeypatch.delenv(variable)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    uncommented = tmp_path / "uncommented.env"
    uncommented.write_text(re.sub(r"^#(?=[A-Z0-9_]+=)", "", example, flags=re.MULTILINE), encoding="utf-8")
    lines = re.findall(r"^[A-Z0-9_]+=", uncommented.read_text(), re.MULTILINE)
    assert len(lines) == len(Settings.model_fields)
    defaults = Settings(_env_file=None)
    assert Settings(_env_file=uncommented) == defaults
    assert Settings(_env_file=ROOT / ".env.example") == defaults


def test_env_example_carries_no_secret() -> None:
    assert re.search(r"^#API_KEYS=$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)


def test_table_replaces_only_what_is_between_its_marks() -> None:
    assert with_table(f"a\n{START}\nold\n{END}\nb", "new") == f"a\n{START}\nnew\n{END}\nb"
    with pytest.raises(ValueError, match="README"):
        with_table("no marks", "new")
