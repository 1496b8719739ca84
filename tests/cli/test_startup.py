"""The command starts quickly: what is heavy is imported only by what needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = [
    "torch",
    "ray",
    "transformers",
    "sqlalchemy",
    "fastapi",
    "starlette",
    "uvicorn",
    "lark",
    "fsspec",
    "numpy",
]


@pytest.mark.parametrize(
    ("arguments", "also"),
    [
        (["--help"], []),
        (["version"], ["pydantic", "httpx", "rich"]),
        (["set-api-key", "k"], ["pydantic", "httpx", "rich"]),
        (["status"], ["pydantic", "httpx", "rich"]),
        (["list", "models", "--help"], ["httpx"]),
        (["create", "deployment", "m", "--dry-run", "-a", "acme", "--api-key", "k"], []),
        (["create", "model", "--help"], []),
    ],
)
def test_ordinary_commands_do_not_import_what_is_heavy(
    arguments: list[str], also: list[str], tmp_path: object
) -> None:
    code = (
        "import sys\n"
        "from sparrel.cli.main import main\n"
        "main(sys.argv[1:], standalone_mode=False) if '--help' not in sys.argv else main(sys.argv[1:])\n"
    )
    unwanted = HEAVY + also
    guard = (
        f"import atexit, sys; atexit.register(lambda: print([m for m in {unwanted} if m in sys.modules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", guard + code, *arguments],
        capture_output=True,
        text=True,
        env={"SPARREL_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
