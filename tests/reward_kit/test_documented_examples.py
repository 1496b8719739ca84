"""The evaluator pages' own reward functions and use cases, with their indentation restored."""

import json
from typing import Any, Dict, List, Optional  # noqa: UP035  (as the pages write it)

import pytest

from reward_kit import (
    EvaluateResult,
    Message,
    MetricResult,
    MetricRewardOutput,
    RewardFunction,
    RewardOutput,
    reward_function,
)
from reward_kit.rewards.accuracy import accuracy_reward
from reward_kit.rewards.code_execution import local_code_execution_reward
from reward_kit.rewards.function_calling import composite_function_call_reward
from reward_kit.rewards.json_schema import json_schema_reward
from reward_kit.rewards.length import length_reward
from reward_kit.rewards.reasoning_steps import reasoning_steps_reward

CHAT = [
    {"role": "user", "content": "What is machine learning?"},
    {
        "role": "assistant",
        "content": "Machine learning is a method of data analysis that automates analytical model building.",
    },
]


def test_word_count_reward():
    @reward_function
    def word_count_reward(
        messages: List[Dict[str, str]],  # noqa: UP006
        original_messages: Optional[List[Dict[str, str]]] = None,  # noqa: UP006, UP045
        **kwargs,
    ) -> RewardOutput:
        if not messages or messages[-1].get("role") != "assistant":
            return RewardOutput(
                score=0.0,
                metrics={"error": MetricRewardOutput(score=0.0, reason="No assistant response found")},
            )
        response = messages[-1].get("content", "")
        word_count = len(response.split())
        score = min(word_count / 100, 1.0)
        return RewardOutput(
            score=score,
            metrics={"word_count": MetricRewardOutput(score=score, reason=f"Word count: {word_count}")},
        )

    result = word_count_reward(messages=CHAT)
    assert (result.score, result.metrics["word_count"].reason) == (0.13, "Word count: 13")
    assert word_count_reward(messages=CHAT[:1]).metrics["error"].reason == "No assistant response found"


def test_helpfulness_reward():
    @reward_function
    def helpfulness_reward(messages: List[Dict[str, str]], **kwargs) -> RewardOutput:  # noqa: UP006
        response = messages[-1].get("content", "").lower()
        keywords = ["help", "assist", "solve", "solution", "answer", "explain"]
        count = sum(1 for keyword in keywords if keyword in response)
        score = min(count / 3, 1.0)
        metric = MetricRewardOutput(score=score, reason=f"Found {count} helpful keywords")
        return RewardOutput(score=score, metrics={"helpfulness": metric})

    result = helpfulness_reward(
        messages=[{"role": "assistant", "content": "I can help you reset your password."}]
    )
    assert result.score == pytest.approx(1 / 3)
    assert result.metrics.get("helpfulness", {}).get("reason", "none") == "Found 1 helpful keywords"


def test_configurable_reward():
    @reward_function
    def configurable_reward(messages, metadata: Optional[Dict[str, Any]] = None, **kwargs):  # noqa: UP006, UP045
        threshold = (metadata or {}).get("threshold", 50)
        score = min(len(messages[-1].get("content", "").split()) / threshold, 1.0)
        return EvaluateResult(score=score, metrics={"words": MetricResult(score=score, reason="words")})

    assert configurable_reward(messages=CHAT, metadata={"threshold": 26}).score == 0.5


def test_the_example_metric_of_message_objects():
    @reward_function
    def evaluate(
        messages: List[Message],  # noqa: UP006
        original_messages: List[Message] = list(),  # noqa: B006, C408, UP006
        **kwargs,
    ):
        content = messages[-1].content or ""
        score = min(len(content.split()) / 100, 1.0)
        return EvaluateResult(
            score=score, reason="words", metrics={"w": MetricResult(score=score, reason="words")}
        )

    assert evaluate(messages=CHAT).score == 0.13


def test_a_local_reward_function_object():
    def my_reward_fn(messages, **kwargs):
        response = messages[-1].get("content", "")
        score = min(len(response) / 100, 1.0)
        metric = MetricRewardOutput(score=score, reason=f"Length: {len(response)}")
        return RewardOutput(score=score, metrics={"length": metric})

    result = RewardFunction(func=my_reward_fn, mode="local")(
        messages=[{"role": "assistant", "content": "Hi there! How can I help you today?"}]
    )
    assert result.score == 0.35


def test_accuracy_combined_with_reasoning_and_length():
    @reward_function
    def combined(messages, ground_truth=None, **kwargs):
        accuracy = accuracy_reward(messages=messages, ground_truth=ground_truth)
        reasoning = reasoning_steps_reward(messages=messages, min_steps=3)
        length = length_reward(messages=messages, target_length=10)
        score = 0.6 * accuracy["score"] + 0.3 * reasoning["score"] + 0.1 * length["score"]
        metrics = {
            "accuracy": MetricRewardOutput(score=accuracy["score"], reason=accuracy["reason"]),
            "reasoning": MetricRewardOutput(score=reasoning["score"], reason=reasoning["reason"]),
        }
        return RewardOutput(score=score, metrics=metrics)

    response = "First, France. Then, its capital. Finally, the answer is Paris."
    result = combined(messages=[{"role": "assistant", "content": response}], ground_truth="Paris")
    assert result.score == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("body", "score"),
    [
        ('"name": "Wireless Headphones", "price": 79.99, "category": "Electronics", "available": true', 1.0),
        ('"name": "Wireless", "price": "79.99", // Incorrect type\n "category": "E", "available": true', 0.0),
        ('"productName": "Wireless", // Wrong field name\n "price": 79.99\n // Missing: available\n', 0.0),
    ],
)
def test_products_of_three_models(body, score):
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "price": {"type": "number", "minimum": 0},
            "category": {"type": "string"},
            "available": {"type": "boolean"},
        },
        "required": ["name", "price", "category", "available"],
    }
    messages = [{"role": "assistant", "content": f"```json\n{{\n{body}\n}}\n```"}]
    assert json_schema_reward(messages=messages, schema=schema).score == score


PRIMES = """
def sieve_of_eratosthenes(limit):
    primes = []
    sieve = [True] * (limit + 1)
    sieve[0] = sieve[1] = False
    for num in range(2, limit + 1):
        if sieve[num]:
            primes.append(num)
            for multiple in range(num * num, limit + 1, num):
                sieve[multiple] = False
    return primes

print(len(sieve_of_eratosthenes(99)))
"""
LARGEST = """
def find_largest(numbers):
    return max(numbers)

print(find_largest([5, 2, 9, 3, 7]))
"""


@pytest.mark.parametrize(
    ("solution", "expected"),
    [
        (PRIMES, "25"),
        ("def find_largest(n):\n    return max(n)\n\nprint(find_largest([5, 2, 9, 3, 7]))", "9"),
    ],
)
def test_solutions_of_coding_problems(solution, expected):
    messages = [
        {"role": "user", "content": "Solve it."},
        {"role": "assistant", "content": f"```python\n{solution}\n```"},
    ]
    result = local_code_execution_reward(
        messages=messages, expected_output=expected, language="python", timeout=10
    )
    assert result.score == 1.0


def test_tool_use_of_several_models(loopback):
    def verdict(_, body):
        is_long = "detailed technical information" in body["messages"][0]["content"]
        return {"choices": [{"message": {"content": json.dumps({"score": 0.4 if is_long else 1.0})}}]}

    loopback.routes["POST", "/v1/chat/completions"] = (200, verdict)
    queries = {
        "a": "latest developments in quantum computing",
        "b": "quantum breakthroughs please search for detailed technical information",
    }
    scores = {}
    for model, query in queries.items():
        call = {"name": "search", "arguments": json.dumps({"query": query})}
        scores[model] = composite_function_call_reward(
            messages=[
                {"role": "user", "content": "What is new?"},
                {"role": "assistant", "function_call": call},
            ],
            expected_schema={"name": "search", "arguments": {"query": {"type": "string"}}},
            expected_behavior="a clear query without instructions",
            openai_api_key="k",
            base_url=f"{loopback.url}/v1",
        ).score
    assert scores == {"a": 1.0, "b": 0.7}
