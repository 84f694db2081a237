"""The rules of the house that a machine can keep."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "app").rglob("*.py"))
HEAVY = {
    "torch",
    "av",
    "onnx",
    "piper",
    "ctranslate2",
    "faster_whisper",
    "tokenizers",
    "whisper",
    "transformers",
    "huggingface_hub",
    "onnxruntime",
    "silero_vad",
    "pocketsphinx",
    "vaderSentiment",
    "gtts",
    "pyttsx3",
    "espeakng_loader",
    "numba",
    "boto3",
    "botocore",
    "celery",
    "kombu",
    "amqp",
    "redis",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_layers_and_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_files_and_functions_are_short_and_say_what_they_are_for(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 400
    if text.strip():
        assert ast.get_docstring(tree), "the module does not say what it is for"
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    too_long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > 60]
    assert too_long == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_libraries_are_imported_inside_the_methods_that_need_them(path: Path) -> None:
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    assert found & HEAVY == set()


def test_the_api_process_imports_no_model_library_and_no_migrations() -> None:
    program = "import sys, app.main; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert loaded & (HEAVY | {"alembic", "scipy", "sklearn", "matplotlib"}) == set()
    assert "fastapi" in loaded


def test_http_exceptions_are_raised_in_the_api_alone() -> None:
    elsewhere = [
        name_of(path)
        for path in MODULES
        if "HTTPException" in path.read_text() and not path.is_relative_to(ROOT / "app" / "api")
    ]
    assert elsewhere == []


def test_every_operation_has_a_summary_and_its_errors() -> None:
    from app.main import app

    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), f"{method} {path}"
            if path != "/health":
                answers = operation["responses"]
                assert any(status.startswith(("4", "5")) for status in answers), f"{method} {path}"
