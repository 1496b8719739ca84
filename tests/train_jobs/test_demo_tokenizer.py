"""The demo tokenizer and its chat template: lossless, digit by digit, and what each message becomes."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from train_jobs.demo import corpus, words
from train_jobs.demo.tokenizer import build_tokenizer

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
            "required": ["city"],
        },
    },
}
CALL = {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Paris"}}}


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return build_tokenizer(seed=0, samples=2000)


def render(tokenizer: PreTrainedTokenizerBase, *messages: dict, **options: object) -> str:
    return str(tokenizer.apply_chat_template(list(messages), tokenize=False, **options))


@pytest.mark.parametrize(
    "text", ["hello world", "héllo 你好 🎉", " tabs\t\n  x", "a  b ", '{"a": [1, 2.5]}', "\x00"]
)
def test_any_text_survives_the_round_trip(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_each_digit_is_a_token(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.tokenize("x 4711") == ["x", "Ġ", "4", "7", "1", "1"]


def test_listed_words_are_one_token_wherever_they_stand(tokenizer: PreTrainedTokenizerBase) -> None:
    for word in [*words.NAMES, *words.WORDS, *words.COLORS, *words.JOBS]:
        assert len(tokenizer.encode(word)) == len(tokenizer.encode(f" {word}")) == 1


def test_a_plain_chat(tokenizer: PreTrainedTokenizerBase) -> None:
    system, user = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}
    answer = {"role": "assistant", "content": "Hello!", "reasoning_content": "A greeting."}
    assert render(tokenizer, system, user, answer) == (
        "<|system|>Be brief.<|end|><|user|>Hi<|end|><|assistant|><think>A greeting.</think>Hello!<|end|>"
    )
    assert render(tokenizer, user, add_generation_prompt=True) == "<|user|>Hi<|end|><|assistant|>"


def test_content_parts_are_joined(tokenizer: PreTrainedTokenizerBase) -> None:
    parts = [{"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]
    assert render(tokenizer, {"role": "user", "content": parts}) == "<|user|>Hi there<|end|>"


def test_tools_become_signatures_of_their_required_parameters(tokenizer: PreTrainedTokenizerBase) -> None:
    user = {"role": "user", "content": "Hi"}
    bare = {"type": "function", "function": {"name": "now"}}
    assert render(tokenizer, user, tools=[WEATHER, bare]) == (
        "<|system|><|tool|>get_weather(city: string) Get the weather\n<|tool|>now()<|end|><|user|>Hi<|end|>"
    )


@pytest.mark.parametrize("arguments", [{"city": "Paris"}, '{"city": "Paris"}'])
def test_a_call_and_its_result(tokenizer: PreTrainedTokenizerBase, arguments: object) -> None:
    call = {"type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    turn = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert render(tokenizer, turn, {"role": "tool", "content": "sunny"}) == (
        '<|assistant|><tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call><|end|>'
        "<|tool|>sunny<|end|>"
    )


def test_only_what_the_assistant_says_is_taught(tokenizer: PreTrainedTokenizerBase) -> None:
    messages = ({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"})
    ids, labels = corpus.encode(tokenizer, corpus.Conversation("small talk", "", messages))
    assert tokenizer.decode([label for label in labels if label != corpus.IGNORED]) == "Hello!<|end|>"
    assert len(ids) == len(labels)


def test_a_saved_tokenizer_loads_with_its_template(
    tokenizer: PreTrainedTokenizerBase, tmp_path: object
) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    message = {"role": "user", "content": "What is 1 + 2?"}
    assert render(loaded, message) == render(tokenizer, message)
    assert loaded.eos_token == "<|end|>"
