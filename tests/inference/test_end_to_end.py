"""The whole data path over real sockets, driven by OpenAI's own client and by raw HTTP."""

from __future__ import annotations

import re
from typing import Any

import httpx
import openai
import orjson
import pytest

from sparrel.bench.data_path import KEY, MODEL
from sparrel.inference.codec import Codec

HELLO: Any = [{"role": "user", "content": "hello world"}]


def chat(data_path: Any, **options: Any) -> Any:
    return data_path.client.chat.completions.create(
        **{"model": MODEL, "messages": HELLO, "max_tokens": 8, "temperature": 0, **options}
    )


def complete(data_path: Any, **options: Any) -> Any:
    return data_path.client.completions.create(
        **{"model": MODEL, "prompt": "hello", "max_tokens": 8, "temperature": 0, **options}
    )


def only(codec: Codec, *texts: str) -> dict[str, float]:
    """A bias that leaves the model no choice but these tokens."""
    ids = [codec.encode(text, add_special_tokens=False) for text in texts]
    assert all(len(tokens) == 1 for tokens in ids)
    return {str(tokens[0]): 200 for tokens in ids}


def events(response: httpx.Response) -> list[Any]:
    """Parse a stream as strictly as the strictest client: nothing but `data:` blocks."""
    blocks = response.text.split("\n\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: ") for block in blocks)
    assert blocks.pop() == "data: [DONE]"
    return [orjson.loads(block.removeprefix("data: ")) for block in blocks]


def test_chat_answers_and_counts(data_path: Any) -> None:
    answer = chat(data_path)
    assert answer.object == "chat.completion"
    assert answer.model == MODEL
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 8
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 8


def test_a_stream_says_the_same_as_the_whole(data_path: Any) -> None:
    whole = chat(data_path)
    chunks = list(chat(data_path, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole.choices[0].message.content
    assert [c.choices[0].finish_reason for c in chunks][-1] == "length"
    assert [c.usage for c in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].usage.completion_tokens == 8
    assert len({c.id for c in chunks}) == 1


@pytest.mark.parametrize(
    "path", ["/inference/v1/chat/completions", "/v1/chat/completions", "/inference//v1//chat/completions"]
)
def test_aliases_and_doubled_slashes_lead_to_the_same_place(data_path: Any, path: str) -> None:
    body = {"model": MODEL, "messages": HELLO, "max_tokens": 2, "stream": True}
    response = data_path.post(path, body)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert events(response)[-1]["usage"]["completion_tokens"] == 2


def test_several_choices_have_their_own_index_and_share_the_usage(data_path: Any) -> None:
    answer = chat(data_path, n=3, temperature=1, seed=1)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) == 3
    assert answer.usage.completion_tokens == 24


def test_several_choices_interleave_in_a_stream(data_path: Any) -> None:
    chunks = list(chat(data_path, n=3, temperature=1, seed=1, stream=True))
    whole = chat(data_path, n=3, temperature=1, seed=1)
    for choice in whole.choices:
        mine = [c.choices[0] for c in chunks if c.choices[0].index == choice.index]
        assert "".join(c.delta.content or "" for c in mine) == choice.message.content
        assert [c.finish_reason for c in mine if c.finish_reason] == ["length"]
    assert [c.usage is not None for c in chunks] == [False] * (len(chunks) - 1) + [True]


def test_the_same_seed_gives_the_same_answer(data_path: Any) -> None:
    texts = {chat(data_path, temperature=1, seed=7).choices[0].message.content for _ in range(3)}
    assert len(texts) == 1


def test_several_prompts_make_choices_in_order(data_path: Any) -> None:
    both = complete(data_path, prompt=["hello", "the quick"], n=2)
    assert [choice.index for choice in both.choices] == [0, 1, 2, 3]
    apart = [complete(data_path, prompt=prompt).choices[0].text for prompt in ("hello", "the quick")]
    assert [choice.text for choice in both.choices] == [apart[0], apart[0], apart[1], apart[1]]


def test_token_ids_are_as_good_as_text(data_path: Any, codec: Codec) -> None:
    tokens = codec.encode("hello", add_special_tokens=True)
    expected = complete(data_path).choices[0].text
    assert complete(data_path, prompt=tokens).choices[0].text == expected
    assert [c.text for c in complete(data_path, prompt=[tokens, tokens]).choices] == [expected] * 2


@pytest.mark.parametrize("tokens", [[999_999], [0, 320]])
def test_a_token_id_outside_the_vocabulary_is_refused(data_path: Any, tokens: list[int]) -> None:
    with pytest.raises(openai.BadRequestError, match="vocabulary"):
        complete(data_path, prompt=tokens)


def test_a_completion_stream_has_the_seeds_shape(data_path: Any) -> None:
    response = data_path.post(
        "/inference/v1/completions",
        {"model": MODEL, "prompt": "hello", "max_tokens": 3, "stream": True, "ignore_eos": True},
    )
    chunks = events(response)
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert all(set(chunk["choices"][0]) == {"text", "index", "finish_reason", "logprobs"} for chunk in chunks)
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_word_ends_the_text_and_is_part_of_it(data_path: Any, codec: Codec, stream: bool) -> None:
    options = {"logit_bias": only(codec, "a"), "stop": ["aaa"], "max_tokens": 50, "stream": stream}
    answer = complete(data_path, **options)
    pieces = list(answer) if stream else [answer]
    assert "".join(piece.choices[0].text for piece in pieces) == "aaa"
    assert pieces[-1].choices[0].finish_reason == "stop"
    assert pieces[-1].usage.completion_tokens == 3


def test_the_end_token_ends_the_answer_and_is_not_shown(data_path: Any, codec: Codec) -> None:
    answer = chat(data_path, logit_bias=only(codec, "<|end|>"))
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("", "stop")
    assert answer.usage.completion_tokens == 1


def test_ignore_eos_goes_on_to_max_tokens(data_path: Any, codec: Codec) -> None:
    answer = chat(data_path, logit_bias=only(codec, "<|end|>"), extra_body={"ignore_eos": True})
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 8)


@pytest.mark.parametrize(("effort", "thoughts"), [(3, 3), (7, 7)])
def test_thinking_ends_when_its_budget_is_spent(
    data_path: Any, codec: Codec, effort: int, thoughts: int
) -> None:
    options: Any = {"logit_bias": only(codec, "<think>"), "max_tokens": thoughts + 2}
    answer = chat(data_path, **options, extra_body={"reasoning_effort": effort})
    assert answer.choices[0].message.content == "<think>" * (thoughts + 1) + "</think>"


def test_a_budget_of_zero_keeps_a_model_from_thinking(data_path: Any, codec: Codec) -> None:
    options: Any = {"logit_bias": only(codec, "<think>"), "max_tokens": 1}
    assert chat(data_path, **options).choices[0].message.content == "<think>"
    answer = chat(data_path, **options, extra_body={"thinking": {"type": "disabled"}})
    assert answer.choices[0].message.content != "<think>"


def test_openai_logprobs_have_every_field_that_clients_need(data_path: Any) -> None:
    content = chat(data_path, logprobs=True, top_logprobs=2).choices[0].logprobs.content
    assert len(content) == 8
    for entry in content:
        assert isinstance(entry.token_id, int)
        assert isinstance(entry.text_offset, int)
        assert isinstance(entry.bytes, list)
        assert entry.logprob <= 0
        assert len(entry.top_logprobs) == 2
        assert entry.top_logprobs[0].logprob == pytest.approx(entry.logprob)  # greedy


def test_legacy_logprobs_are_lists_without_nulls(data_path: Any) -> None:
    answer = complete(data_path, logprobs=2, temperature=1, seed=3)
    logprobs = answer.choices[0].logprobs
    assert len(logprobs.tokens) == len(logprobs.token_logprobs) == len(logprobs.top_logprobs) == 8
    assert len(logprobs.token_ids) == len(logprobs.text_offset) == 8
    assert all(len(top) in (2, 3) for top in logprobs.top_logprobs)
    for token, logprob, top in zip(
        logprobs.tokens, logprobs.token_logprobs, logprobs.top_logprobs, strict=True
    ):
        assert top[token] == pytest.approx(logprob)


def test_logprobs_of_a_stream_are_those_of_the_whole(data_path: Any) -> None:
    whole = chat(data_path, logprobs=True).choices[0].logprobs.content
    chunks = [c.choices[0] for c in chat(data_path, logprobs=True, stream=True)]
    streamed = [entry for c in chunks if c.logprobs for entry in c.logprobs.content]
    assert [(e.token_id, e.text_offset) for e in streamed] == [(e.token_id, e.text_offset) for e in whole]


def test_echo_puts_the_prompt_before_the_completion(data_path: Any, codec: Codec) -> None:
    plain = complete(data_path).choices[0].text
    answer = complete(data_path, echo=True, logprobs=1)
    assert answer.choices[0].text == "hello" + plain
    logprobs = answer.choices[0].logprobs
    prompt = codec.encode("hello", add_special_tokens=True)
    assert logprobs.token_ids[: len(prompt)] == prompt
    assert (logprobs.token_logprobs[0], logprobs.top_logprobs[0]) == (0.0, {})
    assert None not in logprobs.token_logprobs
    assert logprobs.text_offset[len(prompt)] == len("hello")


def test_echo_of_chat_is_the_rendered_template(data_path: Any) -> None:
    answer = chat(data_path, extra_body={"echo": True})
    assert answer.choices[0].message.content.startswith("<|begin|><|user|>hello world<|end|>\n<|assistant|>")


def test_echo_last_is_the_end_of_the_prompt(data_path: Any, codec: Codec) -> None:
    last = codec.decode(codec.encode("hello fox", add_special_tokens=True)[-1:])
    answer = complete(data_path, prompt="hello fox", max_tokens=1, extra_body={"echo_last": 1})
    assert answer.choices[0].text.startswith(last)
    assert not answer.choices[0].text.startswith("hello")


def test_reading_a_prompt_without_generating(data_path: Any) -> None:
    answer = complete(data_path, max_tokens=0, echo=True, logprobs=0)
    assert answer.choices[0].text == "hello"
    assert answer.usage.completion_tokens == 0


@pytest.mark.parametrize("stream", [False, True])
def test_raw_output_shows_what_the_model_read_and_wrote(data_path: Any, codec: Codec, stream: bool) -> None:
    answer = chat(data_path, logprobs=True, stream=stream, extra_body={"raw_output": True})
    choice = list(answer)[-1].choices[0] if stream else answer.choices[0]
    raw = choice.raw_output
    assert raw["prompt_fragments"] == ["<|begin|><|user|>hello world<|end|>\n<|assistant|>"]
    assert codec.decode(raw["prompt_token_ids"], hide_special=False) == raw["prompt_fragments"][0]
    assert len(raw["completion_token_ids"]) == len(raw["completion_logprobs"]["content"]) == 8


def test_token_ids_are_returned_on_request(data_path: Any) -> None:
    answer = chat(data_path, extra_body={"return_token_ids": True})
    assert len(answer.choices[0].token_ids) == 8
    assert len(answer.prompt_token_ids) == answer.usage.prompt_tokens
    chunks = list(chat(data_path, stream=True, extra_body={"return_token_ids": True}))
    assert chunks[0].prompt_token_ids == answer.prompt_token_ids
    streamed = [token for chunk in chunks for token in getattr(chunk.choices[0], "token_ids", None) or []]
    assert streamed == answer.choices[0].token_ids


def test_headers_tell_what_the_request_cost(data_path: Any) -> None:
    response = data_path.post("/v1/completions", {"model": MODEL, "prompt": "hello", "max_tokens": 2})
    headers = response.headers
    assert headers["fireworks-prompt-tokens"] == str(response.json()["usage"]["prompt_tokens"])
    assert headers["fireworks-cached-prompt-tokens"] == "0"
    first = float(headers["fireworks-server-time-to-first-token"])
    assert 0 < first <= float(headers["fireworks-server-processing-time"])
    assert headers["fireworks-deployment"] == "accounts/bench/deployments/random"


def test_headers_of_a_stream_hold_what_is_known_before_it(data_path: Any) -> None:
    body = {"model": MODEL, "prompt": "hello", "max_tokens": 2, "stream": True}
    headers = data_path.post("/v1/completions", body).headers
    assert float(headers["fireworks-server-time-to-first-token"]) > 0
    assert "fireworks-server-processing-time" not in headers


def test_perf_metrics_repeat_the_headers_in_the_body(data_path: Any) -> None:
    options = {"extra_body": {"perf_metrics_in_response": True}}
    assert chat(data_path, **options).perf_metrics["prompt-tokens"]
    chunks = list(chat(data_path, stream=True, **options))
    assert [hasattr(chunk, "perf_metrics") for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


def test_a_request_id_is_echoed_or_made(data_path: Any) -> None:
    headers = {"authorization": f"Bearer {KEY}", "x-request-id": "mine-1"}
    body = {"model": MODEL, "prompt": "a", "max_tokens": 1}
    url = f"{data_path.base_url}/completions"
    assert httpx.post(url, json=body, headers=headers, timeout=60).headers["x-request-id"] == "mine-1"
    assert re.fullmatch(r"[0-9a-f]{32}", data_path.post("/v1/completions", body).headers["x-request-id"])


LONG = "hello world, the quick brown fox. " * 8


def test_a_repeated_prompt_is_read_from_the_cache(data_path: Any) -> None:
    cached = [complete(data_path, prompt=LONG).usage.prompt_tokens_details.cached_tokens for _ in range(2)]
    assert cached[0] == 0
    assert cached[1] > 0


@pytest.mark.parametrize("option", [{"prompt_cache_isolation_key": "k"}, {"prompt_cache_max_len": 0}])
def test_isolation_keeps_a_request_out_of_the_shared_cache(data_path: Any, option: dict[str, Any]) -> None:
    complete(data_path, prompt=LONG)
    assert complete(data_path, prompt=LONG, extra_body=option).usage.prompt_tokens_details.cached_tokens == 0


def test_a_completion_stops_where_the_context_ends(data_path: Any) -> None:
    answer = complete(data_path, max_tokens=5000, extra_body={"ignore_eos": True})
    assert answer.usage.total_tokens == 256
    assert answer.choices[0].finish_reason == "length"


def test_exceeding_the_context_is_an_error_when_asked_for(data_path: Any) -> None:
    option = {"context_length_exceeded_behavior": "error"}
    with pytest.raises(openai.BadRequestError, match="context length 256"):
        complete(data_path, max_tokens=5000, extra_body=option)


@pytest.mark.parametrize("behavior", ["truncate", "error"])
def test_a_prompt_longer_than_the_context_is_always_an_error(data_path: Any, behavior: str) -> None:
    option = {"context_length_exceeded_behavior": behavior}
    with pytest.raises(openai.BadRequestError, match="prompt too long"):
        complete(data_path, prompt="z" * 400, extra_body=option)


def test_a_chat_too_long_is_cut_when_asked_for(data_path: Any) -> None:
    long = [{"role": "user", "content": "z" * 100}] * 4
    answer = chat(data_path, messages=[*long, *HELLO], extra_body={"prompt_truncate_len": 60})
    assert answer.usage.prompt_tokens <= 60


def test_safe_tokenization_keeps_special_tokens_out_of_messages(data_path: Any) -> None:
    trick = [{"role": "user", "content": "<|end|>"}]
    plain = chat(data_path, messages=trick).usage.prompt_tokens
    assert chat(data_path, messages=trick, extra_body={"safe_tokenization": True}).usage.prompt_tokens > plain


def test_models_are_listed_and_found(data_path: Any) -> None:
    (model,) = data_path.client.models.list().data
    assert (model.id, model.owned_by, model.context_length) == (MODEL, "bench", 1024)
    assert data_path.client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError):
        data_path.client.models.retrieve("accounts/bench/models/none")


def test_an_unknown_model_has_the_fixed_message(data_path: Any) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        chat(data_path, model="accounts/bench/models/none")
    assert caught.value.code == "NOT_FOUND"
    assert caught.value.body["message"] == "Model not found, inaccessible, and/or not deployed"


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/inference/v1/chat/completions", {"messages": HELLO}, 400, "model"),
        ("/inference/v1/chat/completions", {"model": 5, "messages": HELLO}, 400, "model"),
        (
            "/inference/v1/chat/completions",
            {"model": MODEL, "messages": HELLO, "temprature": 1},
            400,
            "temperature",
        ),
        (
            "/inference/v1/chat/completions",
            {"model": MODEL, "messages": HELLO, "temperature": 9},
            400,
            "temperature",
        ),
        ("/inference/v1/completions", {"model": MODEL}, 400, "prompt"),
        ("/inference/v1/nothing", {}, 404, "No such route"),
        ("/inference/v1/models", {}, 405, "GET"),
    ],
)
def test_errors_come_in_openais_envelope(
    data_path: Any, path: str, body: Any, status: int, says: str
) -> None:
    response = data_path.post(path, body)
    assert response.status_code == status
    error = response.json()["error"]
    assert (error["object"], error["type"]) == ("error", "invalid_request_error")
    assert isinstance(error["code"], str)
    assert says in error["message"]


@pytest.mark.parametrize("path", ["/inference/v1/chat/completions", "/v1/completions"])
def test_get_on_a_post_route_is_not_allowed(data_path: Any, path: str) -> None:
    response = httpx.get(data_path.gateway + path, headers={"authorization": f"Bearer {KEY}"})
    assert (response.status_code, response.json()["error"]["object"]) == (405, "error")


def test_a_broken_body_is_the_clients_error(data_path: Any) -> None:
    response = data_path.post("/v1/chat/completions", content=b'{"model": ')
    assert response.status_code == 400
    assert "not valid JSON" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": KEY}, {"x-api-key": "no"}]
)
def test_without_a_valid_key_nothing_is_answered(data_path: Any, headers: dict[str, str]) -> None:
    response = httpx.get(f"{data_path.base_url}/models", headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNAUTHENTICATED")


def test_the_key_may_come_in_its_own_header(data_path: Any) -> None:
    assert httpx.get(f"{data_path.base_url}/models", headers={"x-api-key": KEY}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/internal/state"])
def test_a_model_server_answers_to_the_gateway_only(data_path: Any, path: str) -> None:
    assert httpx.post(data_path.model_server + path, json={}).status_code == 401


def test_a_model_server_reports_its_load(data_path: Any) -> None:
    headers = {"x-sparrel-secret": "bench-secret"}
    state = httpx.get(f"{data_path.model_server}/internal/state", headers=headers).json()
    assert set(state) == {"running", "waiting", "capacity", "requests_total", "generated_tokens_total"}
    assert state["capacity"] == 16
