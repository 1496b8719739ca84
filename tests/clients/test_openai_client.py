"""The official `openai` package against the running platform, by changing nothing but the base URL."""

from __future__ import annotations

import asyncio

import openai
import pytest

from sparrel.settings import DEMO_MODEL

pytestmark = [pytest.mark.ray, pytest.mark.clients]

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather for a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def client(platform) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{platform.settings.base_url}/inference/v1", api_key=platform.api_key, max_retries=0
    )


def test_chat_answers_what_the_model_was_taught(client, platform) -> None:
    answer = client.chat.completions.create(model=DEMO_MODEL, messages=CAPITAL, temperature=0)
    assert "Paris" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_stream_says_the_same_and_ends_with_usage(client, platform) -> None:
    whole = client.chat.completions.create(model=DEMO_MODEL, messages=CAPITAL, temperature=0)
    chunks = list(
        client.chat.completions.create(model=DEMO_MODEL, messages=CAPITAL, temperature=0, stream=True)
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks)
    assert text == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert all(c.usage is None for c in chunks[:-1])


def test_a_tool_is_called_and_its_result_is_told(client, platform) -> None:
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]
    call = client.chat.completions.create(
        model=DEMO_MODEL, messages=messages, tools=[WEATHER], temperature=0
    ).choices[0]
    assert call.finish_reason == "tool_calls"
    function = call.message.tool_calls[0].function
    assert (function.name, function.arguments.replace(" ", "")) == ("get_weather", '{"city":"Paris"}')
    messages += [
        call.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.message.tool_calls[0].id, "content": '{"temperature": 21}'},
    ]
    told = client.chat.completions.create(
        model=DEMO_MODEL, messages=messages, tools=[WEATHER], temperature=0
    ).choices[0]
    assert "21" in told.message.content


def test_completions_take_several_prompts(client, platform) -> None:
    answer = client.completions.create(model=DEMO_MODEL, prompt=["One", "Two"], max_tokens=2, n=2)
    assert [c.index for c in answer.choices] == [0, 1, 2, 3]


def test_models_list_names_the_demo_model(client, platform) -> None:
    assert DEMO_MODEL in [m.id for m in client.models.list()]
    assert client.models.retrieve(DEMO_MODEL).id == DEMO_MODEL


@pytest.mark.parametrize(
    "spelling", ["accounts/fireworks/models/demo-chat", "fireworks/demo-chat", "sparrel/demo-chat"]
)
def test_published_spellings_of_a_platform_model_work(client, spelling: str) -> None:
    answer = client.chat.completions.create(model=spelling, messages=CAPITAL, temperature=0)
    assert answer.model == spelling


def test_an_unknown_model_is_a_not_found_error_with_its_code(client) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="accounts/x/models/none", messages=CAPITAL)
    assert caught.value.code == "NOT_FOUND"
    assert "Model not found, inaccessible, and/or not deployed" in str(caught.value)


def test_a_wrong_key_is_an_authentication_error(platform) -> None:
    stranger = openai.OpenAI(
        base_url=f"{platform.settings.base_url}/inference/v1", api_key="sp_wrong", max_retries=0
    )
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()


def test_an_unknown_field_is_named(client, platform) -> None:
    with pytest.raises(openai.BadRequestError, match="temprature"):
        client.chat.completions.create(model=DEMO_MODEL, messages=CAPITAL, extra_body={"temprature": 0.5})


async def test_sixteen_conversations_at_once_stay_apart(platform) -> None:
    client = openai.AsyncOpenAI(
        base_url=f"{platform.settings.base_url}/inference/v1", api_key=platform.api_key, max_retries=0
    )
    capitals = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}

    async def ask(country: str) -> str:
        answer = await client.chat.completions.create(
            model=DEMO_MODEL,
            messages=[{"role": "user", "content": f"What is the capital of {country}?"}],
            temperature=0,
        )
        return answer.choices[0].message.content or ""

    countries = list(capitals) * 4
    answers = await asyncio.gather(*(ask(country) for country in countries))
    assert all(capitals[c] in a for c, a in zip(countries, answers, strict=True)), answers
