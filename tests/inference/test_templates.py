"""Conversations as prompts."""

from __future__ import annotations

from typing import Any

import pytest

from sparrel.errors import InvalidArgument, NotFound
from sparrel.inference.messages import Message
from sparrel.inference.templates import ChatTemplate, evict_to_fit

PLAIN = "{% for m in messages %}{{ m.role }}:{{ m.content }}|{% endfor %}{{ '>' if add_generation_prompt }}"


def message(role: str, content: Any, **more: Any) -> Message:
    return Message.model_validate({"role": role, "content": content, **more})


def render(source: str, messages: list[Message], default: str | None = None, **options: Any) -> str:
    template = ChatTemplate(source, {"bos_token": "<s>"}, default)
    return template.render(template.with_default_system(messages), (), options)


def test_the_prompt_ends_where_the_answer_begins() -> None:
    assert render(PLAIN, [message("user", "hi")]) == "user:hi|>"


def test_the_default_system_prompt_comes_first() -> None:
    assert render(PLAIN, [message("user", "hi")], "be kind") == "system:be kind|user:hi|>"


@pytest.mark.parametrize("text", ["be short", ""])
def test_a_system_message_replaces_the_default_even_when_empty(text: str) -> None:
    messages = [message("system", text), message("user", "hi")]
    assert render(PLAIN, messages, "be kind") == f"system:{text}|user:hi|>"


def test_parts_of_a_message_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert render(PLAIN, [message("user", parts)]) == "user:a\nb|>"


def test_later_role_names_are_mapped_to_the_common_ones() -> None:
    assert render(PLAIN, [message("developer", "d"), message("user", "u")]) == "system:d|user:u|>"


def test_special_tokens_and_options_are_variables() -> None:
    assert (
        render("{{ bos_token }}{{ enable_thinking }}", [message("user", "hi")], enable_thinking=False)
        == "<s>False"
    )


def test_call_arguments_reach_the_template_as_an_object() -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": '{"x": "é"}'}}
    source = "{% for c in messages[0].tool_calls %}{{ c.function.arguments | tojson }}{% endfor %}"
    assert render(source, [message("assistant", None, tool_calls=[call])]) == '{"x": "é"}'


def test_generation_blocks_are_only_their_body() -> None:
    assert render("a{% generation %}b{% endgeneration %}c", [message("user", "hi")]) == "abc"


def test_a_model_without_template_refuses_chat() -> None:
    with pytest.raises(
        NotFound, match="model is missing conversation_config, please use /completions API instead"
    ):
        ChatTemplate(None, {}).render([{"role": "user", "content": "hi"}])


def test_what_a_template_refuses_is_the_clients_error() -> None:
    with pytest.raises(InvalidArgument, match="alternate"):
        render("{{ raise_exception('roles must alternate') }}", [message("user", "hi")])


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages.__class__.__mro__ }}{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(source: str) -> None:
    with pytest.raises(InvalidArgument):
        render(source, [message("user", "hi")])


def turn(role: str, size: int) -> dict[str, str]:
    return {"role": role, "content": role[0] * size}


def count(messages: Any) -> int:
    return sum(len(m["content"]) for m in messages)


def roles(messages: Any) -> str:
    return "".join(m["role"][0] for m in messages)


def test_the_oldest_turns_are_evicted_first_and_the_system_prompt_stays() -> None:
    messages = [turn("system", 5), turn("user", 5), turn("assistant", 5), turn("user", 5)]
    assert roles(evict_to_fit(messages, 20, count)) == "suau"
    assert roles(evict_to_fit(messages, 15, count)) == "sau"
    assert roles(evict_to_fit(messages, 10, count)) == "su"


def test_the_system_prompt_is_cut_only_when_nothing_else_is_left_to_drop() -> None:
    kept = evict_to_fit([turn("system", 20), turn("user", 5), turn("user", 5)], 12, count)
    assert [len(m["content"]) for m in kept] == [7, 5]


def test_a_tools_answer_goes_with_its_call() -> None:
    messages = [turn("user", 5), turn("assistant", 5), turn("tool", 5), turn("user", 5)]
    assert roles(evict_to_fit(messages, 11, count)) == "u"


def test_the_last_turn_stays_however_long() -> None:
    assert roles(evict_to_fit([turn("user", 5), turn("user", 50)], 10, count)) == "u"
