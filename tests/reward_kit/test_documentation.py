"""`docs/evaluators.md` is run from its first line to its last."""

import re
import shlex
from pathlib import Path

import pytest

import reward_kit.rewards
from reward_kit.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "evaluators.md"
BLOCK = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_runs_from_an_empty_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shown, names = "", {"__name__": "documentation"}
    for language, note, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if note.startswith("file="):
            path = tmp_path / note.removeprefix("file=")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        elif note == "run":
            main(shlex.split(text.removeprefix("$ reward-kit ")))
            shown = capsys.readouterr().out
        elif language == "python":
            exec(compile(text, str(PAGE), "exec"), names)
        elif language == "text":
            assert unlike(text, shown) == []


def unlike(documented, shown):
    """List the documented lines that were not shown, but for timings and omissions."""
    lines = [re.sub(r"\d+ ms", "", line.rstrip()) for line in shown.splitlines()]
    wanted = [re.sub(r"\d+ ms", "", line.rstrip()) for line in documented.splitlines()]
    return [line for line in wanted if line.strip() != "..." and line not in lines]


@pytest.mark.parametrize("name", reward_kit.rewards.__all__)
def test_every_reward_is_listed(name):
    assert f"`{name}`" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", reward_kit.rewards.__all__)
def test_every_reward_documents_itself(name):
    assert getattr(reward_kit.rewards, name).__doc__.strip()
