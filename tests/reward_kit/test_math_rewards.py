"""Mathematics: the documented examples, and what a right answer is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_kit.errors import UsageError
from reward_kit.rewards.list_comparison_math_reward import list_comparison_math_reward
from reward_kit.rewards.math import compare_numbers, extract_numbers, math_reward
from reward_kit.rewards.multiple_choice_math_reward import chosen_option, multiple_choice_math_reward

CIRCLE = "Area = π × 3² = 9π cm²\n\nTherefore, the area is \n\n$$\\boxed{28.27 \\text{ cm}^2}$$"


def test_the_documented_percentage_is_right(chat):
    text = (
        "To calculate 15% of 80, I'll multiply 80 by 0.15:\n\n80 × 0.15 = 12\n\nTherefore, 15% of 80 is 12."
    )
    result = math_reward(messages=chat(text), expected_answer="12")
    assert result.score == 1.0
    assert set(result.metrics) == {"answer_extraction", "expected_answer", "answer_comparison"}


def test_the_documented_circle_is_right_in_its_box_with_its_unit(chat):
    options = {"extract_boxed_only": True, "ignore_units": False, "tolerance": 0.01}
    assert math_reward(chat(CIRCLE), expected_answer="28.27 cm^2", **options).score == 1.0
    assert math_reward(chat(CIRCLE), expected_answer="28.27 m^2", **options).score == 0.0
    assert math_reward(chat(CIRCLE), expected_answer="28.27", **options).score == 0.0


def test_several_documented_answers_are_alternatives(chat):
    text = "3/12 + 2/12 = 5/12\n\nTherefore, 1/4 + 1/6 = 5/12"
    assert math_reward(chat(text), expected_answer=["5/12", "0.41666"], tolerance=0.001).score == 1.0
    assert math_reward(chat(text), expected_answer=["1/2", "0.5"]).score == 0.0


def test_the_answer_can_come_from_the_original_messages(chat):
    original = [{"role": "user", "content": "Solve the equation 2x + 5 = 15. The answer is x = 5."}]
    text = "2x = 10\nx = 10/2\nx = 5\n\nTherefore, the solution is x = 5."
    options = {"original_messages": original, "extract_answer_from_original": True}
    assert math_reward(chat(text), **options).score == 1.0
    assert math_reward(chat("x = 4"), **options).score == 0.0


@pytest.mark.parametrize("truth", ["72", 72, "48/2 = 24\n#### 72", r"so \boxed{72}", "72 clips"])
def test_the_ground_truth_may_be_an_answer_or_a_worked_solution(chat, truth):
    assert math_reward(chat("She sold 72 clips."), ground_truth=truth).score == 1.0


def test_no_answer_is_a_valid_zero(chat):
    result = math_reward(
        chat("I will think about it and say $5."), expected_answer="5", extract_boxed_only=True
    )
    assert (result.score, result.is_score_valid, result.reason) == (0.0, True, "no answer in a box")


@pytest.mark.parametrize(
    "parameters", [{}, {"expected_answer": ""}, {"expected_answer": "1", "tolerance": -1}]
)
def test_math_needs_an_answer_and_sensible_tolerances(chat, parameters):
    with pytest.raises(UsageError):
        math_reward(chat("1"), **parameters)


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_integers_are_right_exactly_when_they_are_equal(wanted, got):
    result = math_reward(
        [{"role": "assistant", "content": f"The answer is {got}."}], expected_answer=str(wanted)
    )
    assert result.score == float(wanted == got)


@given(st.text(max_size=80), st.text(min_size=1, max_size=20).filter(str.strip))
def test_any_text_gets_a_verdict(response, truth):
    assert math_reward([{"role": "assistant", "content": response}], ground_truth=truth).score in (0.0, 1.0)


def test_numbers_can_be_listed_and_compared():
    assert extract_numbers("3/4 of 1,000 is 750") == [("3/4", 0.75), ("1,000", 1000.0), ("750", 750.0)]
    assert compare_numbers(100, 100.0001) == (True, 1.0)
    assert compare_numbers(100, 50) == (False, 0.5)


@pytest.mark.parametrize(
    ("text", "order_matters", "score"),
    [
        (r"The divisors are \boxed{1, 2, 3, 6}", False, 1.0),
        (r"\boxed{6, 3, 2, 1}", False, 1.0),
        (r"\boxed{6, 3, 2, 1}", True, 0.0),
        (r"\boxed{1, 2, 3}", False, 0.0),
        (r"\boxed{1, 2, 2, 3, 6}", False, 0.0),
        ("none", False, 0.0),
    ],
)
def test_lists_of_numbers_are_compared(chat, text, order_matters, score):
    result = list_comparison_math_reward(chat(text), ground_truth="1,2,3,6", order_matters=order_matters)
    assert result.score == score


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is (B).", "B"),
        ("Answer: C", "C"),
        ("Not (A), so \\boxed{C}", "C"),
        (r"\boxed{\text{D}}", "D"),
        ("(A) is tempting, but the correct answer is **B**", "B"),
        ("B. 12", "B"),
        ("A good question", None),
        ("none", None),
    ],
)
def test_the_chosen_option_is_found(text, letter):
    assert chosen_option(text) == letter


def test_a_choice_is_right_or_wrong(chat):
    assert multiple_choice_math_reward(chat("The answer is B"), ground_truth="B").score == 1.0
    assert multiple_choice_math_reward(chat("The answer is A"), ground_truth="(B)").score == 0.0


HOSTILE = [
    "(" * 20_000,
    "\\frac{" * 10_000,
    "answer is " * 10_000,
    "\\boxed{" * 10_000,
    "x=" * 20_000,
    "9" * 50_000,
]
HOSTILE += [
    r"\boxed{9^9^9^9^9}",
    r"\boxed{200!^200!}",
    "<answer>" * 10_000,
    "**a " * 10_000,
    "1 or " * 10_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_hostile_text_costs_little_and_is_wrong(chat, text):
    started = time.process_time()
    assert math_reward(chat(text), expected_answer="5").score == 0.0
    assert math_reward(chat("The answer is 5."), expected_answer=text).score == 0.0
    assert time.process_time() - started < 3.0
