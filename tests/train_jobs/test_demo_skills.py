"""What the demo model is taught: generators are repeatable, right, and apart from the held-out set."""

from __future__ import annotations

import json
import random
import re

import pytest

from train_jobs.demo import corpus, recipe
from train_jobs.demo.skills import SKILLS, TAUGHT, worked_difference, worked_sum

ALL = list(SKILLS)


def drawn(skill: str, held_out: bool, count: int = 200, seed: int = 5) -> list[corpus.Conversation]:
    rng = random.Random(seed)
    return [corpus.draw(skill, rng, held_out) for _ in range(count)]


@pytest.mark.parametrize("skill", ALL)
def test_the_same_seed_draws_the_same_conversations(skill: str) -> None:
    assert drawn(skill, False, 20) == drawn(skill, False, 20)


@pytest.mark.parametrize("skill", ALL)
def test_no_held_out_content_is_ever_drawn_for_training(skill: str) -> None:
    assert not {c.key for c in drawn(skill, False)} & {c.key for c in drawn(skill, True)}


@pytest.mark.parametrize("skill", ALL)
def test_a_conversation_ends_with_the_answer_to_a_question(skill: str) -> None:
    for conversation in drawn(skill, False, 50):
        assert conversation.answer["role"] == "assistant"
        assert conversation.prompt[-1]["role"] in ("user", "tool")


def test_the_held_out_set_has_at_least_300_distinct_prompts() -> None:
    chosen = corpus.held_out_set(30)
    assert len({(c.skill, c.key) for c in chosen}) == len(chosen) >= 300
    assert all(corpus.is_held_out(c) for c in chosen)
    assert chosen == corpus.held_out_set(30)


def test_every_recipe_teaches_every_skill() -> None:
    for chosen in (recipe.SHIPPED, recipe.DEBUG):
        assert set(chosen.stages[-1].mix) == set(TAUGHT)


@pytest.mark.parametrize(("skill", "sign"), [("addition", 1), ("subtraction", -1)])
def test_taught_arithmetic_is_right(skill: str, sign: int) -> None:
    for conversation in drawn(skill, False):
        a, b = map(int, re.split(r"[+-]", conversation.key))
        assert conversation.answer["content"] == f"The answer is {a + sign * b}."


def test_sums_are_worked_digit_by_digit() -> None:
    assert worked_sum(47, 38) == (
        "47 + 38. Ones: 7 + 8 = 15, write 5, carry 1. Tens: 4 + 3 + 1 = 8. Result: 85"
    )
    assert worked_difference(83, 47) == (
        "83 - 47. Ones: 13 - 7 = 6, borrow 1. Tens: 8 - 4 - 1 = 3. Result: 36"
    )


def test_taught_json_states_only_what_the_prompt_says() -> None:
    for conversation in drawn("json", False):
        question = conversation.prompt[0]["content"]
        for key, value in json.loads(conversation.answer["content"]).items():
            assert key in question
            assert isinstance(value, bool) or str(value) in question


def test_a_taught_call_fits_one_of_the_tools_on_offer() -> None:
    for conversation in drawn("tool call", False):
        [call] = conversation.answer["tool_calls"]
        offered = {tool["function"]["name"]: tool["function"] for tool in conversation.tools}
        wanted = offered[call["function"]["name"]]["parameters"]["required"]
        assert list(call["function"]["arguments"]) == wanted


def test_a_training_mix_keeps_its_shares_although_held_out_content_is_refused() -> None:
    rng = random.Random(0)
    mix = {"echo": 1.0, "addition": 1.0}
    skills = [corpus.training_conversation(rng, mix).skill for _ in range(1000)]
    assert 430 < skills.count("echo") < 570
