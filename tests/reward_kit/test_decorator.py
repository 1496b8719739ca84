"""`@reward_function`: anything sensible in, an `EvaluateResult` out."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_kit import EvaluateResult, Message, MetricResult, RewardOutput, reward_function
from reward_kit.errors import UsageError

CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello there"}]


@reward_function
def words(messages, **kwargs):
    return len(messages[-1]["content"].split()) / 10


def test_dictionaries_and_message_objects_score_alike():
    assert words(CHAT).score == words([Message(**m) for m in CHAT]).score == 0.2


def test_messages_may_be_given_by_position_or_by_name():
    assert words(CHAT) == words(messages=CHAT)


def test_an_unannotated_function_gets_messages_with_both_kinds_of_access():
    @reward_function
    def both(messages, original_messages=None, **kwargs):
        assert messages[-1].content == messages[-1].get("content") == messages[-1]["content"]
        return 1.0

    assert both(CHAT).error is None


def test_a_function_annotated_with_dictionaries_gets_dictionaries():
    @reward_function
    def plain(messages: list[dict[str, str]], **kwargs: Any) -> EvaluateResult:
        return EvaluateResult(score=float(type(messages[0]) is dict))

    assert plain([Message(**m) for m in CHAT]).score == 1.0


def test_original_messages_default_to_all_but_the_last():
    @reward_function
    def context(messages, original_messages=None, **kwargs):
        return float(len(original_messages))

    assert context(CHAT).score == 1.0
    assert context(CHAT, original_messages=CHAT).score == 2.0


@pytest.mark.parametrize(
    ("output", "score"),
    [
        (EvaluateResult(score=0.5), 0.5),
        (RewardOutput(score=0.5), 0.5),
        ({"score": 0.5, "metrics": {"a": {"score": 1, "reason": "r"}}}, 0.5),
        ((0.75, {"clarity": 0.8, "accuracy": MetricResult(score=0.7)}), 0.75),
        (0.5, 0.5),
        (True, 1.0),
    ],
)
def test_every_documented_output_becomes_a_result(output, score):
    result = reward_function(lambda messages: output)(CHAT)
    assert isinstance(result, EvaluateResult)
    assert (result.score, result.error) == (score, None)


def test_the_legacy_tuple_keeps_its_components():
    result = reward_function(lambda messages, **kwargs: (0.75, {"clarity": 0.8}))(CHAT)
    assert result.metrics["clarity"] == MetricResult(score=0.8, reason="clarity score")


@pytest.mark.parametrize(
    "output", ["0.5", None, [1], (1, 2, 3), {"points": 1}, {"score": "high"}, float("nan")]
)
def test_an_output_that_is_no_result_becomes_a_typed_failure(output):
    result = reward_function(lambda messages: output)(CHAT)
    assert (result.score, result.is_score_valid) == (0.0, False)
    assert result.error


def test_an_exception_becomes_a_typed_failure():
    @reward_function
    def broken(messages, **kwargs):
        raise RuntimeError("no luck")

    result = broken(CHAT)
    assert result.error == "RuntimeError: no luck"
    assert result.metrics["error"].success is False
    assert result.is_score_valid is False


@pytest.mark.parametrize("messages", ["text", None, [{"content": "no role"}], [5], {"role": "user"}])
def test_messages_that_are_no_conversation_become_a_typed_failure(messages):
    assert "messages" in words(messages).error


def test_a_mistake_in_the_call_is_raised_not_scored():
    @reward_function
    def strict(messages, **kwargs):
        raise UsageError("threshold must be positive")

    with pytest.raises(UsageError):
        strict(CHAT)
    with pytest.raises(TypeError, match="missing required argument: 'messages'"):
        words()


def test_a_function_without_messages_is_refused_when_decorated():
    with pytest.raises(TypeError, match="must accept `messages`"):
        reward_function(lambda **kwargs: 1.0)


def test_extra_arguments_reach_the_function():
    @reward_function
    def configurable(messages, metadata=None, **kwargs):
        return metadata["weight"] * kwargs["factor"]

    assert configurable(CHAT, metadata={"weight": 0.5}, factor=0.5).score == 0.25


async def test_a_coroutine_function_stays_one():
    @reward_function
    async def slow(messages, **kwargs):
        return 0.5

    @reward_function
    async def broken(messages, **kwargs):
        raise ValueError("no")

    assert (await slow(CHAT)).score == 0.5
    assert (await broken(CHAT)).error == "ValueError: no"


def test_a_batch_has_one_result_for_each_conversation():
    @reward_function(mode="batch")
    def ranked(rollouts_messages: list[list[Message]], **kwargs):
        return [1.0 / len(messages) for messages in rollouts_messages]

    assert [result.score for result in ranked([CHAT, CHAT[:1]])] == [0.5, 1.0]


@pytest.mark.parametrize("output", [[0.5], "text", None])
def test_a_batch_of_the_wrong_size_fails_for_every_conversation(output):
    results = reward_function(mode="batch")(lambda conversations: output)([CHAT, CHAT])
    assert [bool(result.error) for result in results] == [True, True]


def test_one_bad_result_of_a_batch_leaves_the_others():
    results = reward_function(mode="batch")(lambda conversations: [1.0, "bad"])([CHAT, CHAT])
    assert [bool(result.error) for result in results] == [False, True]


def test_an_unknown_mode_is_refused():
    with pytest.raises(UsageError, match="mode must be"):
        reward_function(mode="listwise")


def test_the_decorated_function_keeps_its_name_and_document():
    @reward_function
    def documented(messages):
        """Says what it does."""

    assert (documented.__name__, documented.__doc__) == ("documented", "Says what it does.")
    assert callable(documented.deploy)


@given(
    st.lists(
        st.dictionaries(st.text(max_size=6), st.none() | st.text(max_size=6) | st.integers()), max_size=3
    )
)
def test_no_row_makes_a_reward_raise(messages):
    assert isinstance(words(messages), EvaluateResult)


def test_decoration_at_most_doubles_the_cost_of_a_cheap_function():
    def plain(messages, **kwargs):
        count = len(messages[-1]["content"].split())
        metric = MetricResult(score=count / 100, reason=f"{count} words")
        return EvaluateResult(score=count / 100, reason=f"{count} words", metrics={"words": metric})

    chat = [CHAT[0], {"role": "assistant", "content": "eight words of text in a plain sentence " * 8}]

    def seconds(function):
        started = time.process_time()
        for _ in range(1000):
            function(messages=chat)
        return time.process_time() - started

    # The least of several runs is what the machine does when nothing else disturbs it.
    decorated = reward_function(plain)
    times = [(seconds(plain), seconds(decorated)) for _ in range(10)]
    assert min(t for _, t in times) <= 2 * min(t for t, _ in times)
