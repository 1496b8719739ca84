"""Draw conversations for training or for the held-out set, and turn them into token ids."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace

from transformers import PreTrainedTokenizerBase

from train_jobs.demo import skills, words
from train_jobs.demo.skills import Conversation, Message, Rng

HELD_OUT_SHARE = 10  # one key in so many is never trained on
IGNORED = -100
Encoded = tuple[list[int], list[int]]  # token ids and labels, not shifted


def is_held_out(conversation: Conversation) -> bool:
    """Whether this content belongs to the held-out set: a fixed hash of skill and key decides."""
    digest = hashlib.sha256(f"{conversation.skill}|{conversation.key}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % HELD_OUT_SHARE == 0


def draw(skill: str, rng: Rng, held_out: bool) -> Conversation:
    """Draw from one side of the split; rejecting within the skill keeps the mix of skills as it is."""
    while True:
        conversation = skills.TAUGHT[skill](rng)
        if is_held_out(conversation) == held_out:
            return conversation


def with_system(rng: Rng, conversation: Conversation) -> Conversation:
    """Half of the conversations start with a system prompt, as many clients send one."""
    if rng.random() < 0.5:
        return conversation
    system: Message = {"role": "system", "content": rng.choice(words.SYSTEM_PROMPTS)}
    return replace(conversation, messages=(system, *conversation.messages))


def held_out_set(per_skill: int, seed: int = 1) -> list[Conversation]:
    """The same prompts for everybody: `per_skill` distinct held-out conversations of each skill."""
    chosen = []
    for skill in skills.SKILLS:
        rng = random.Random(f"{seed} {skill}")
        seen: dict[str, Conversation] = {}
        for _ in range(per_skill * 20):
            conversation = draw(skill, rng, held_out=True)
            seen.setdefault(conversation.key, with_system(rng, conversation))
            if len(seen) == per_skill:
                break
        chosen += list(seen.values())
    return chosen


# --- training documents -----------------------------------------------------------------------------

Mix = Mapping[str, float]
CHATTABLE = [
    "small talk",
    "capitals",
    "echo",
    "recall",
    "addition",
    "subtraction",
    "comparison",
    "json",
]


def training_conversation(rng: Rng, mix: Mix) -> Conversation:
    """One skill, or now and then a chat of several turns about unrelated things."""
    skill = rng.choices(list(mix), weights=list(mix.values()))[0]
    conversation = draw(skill, rng, held_out=False)
    if skill in CHATTABLE and rng.random() < 0.12:
        turns = [draw(rng.choice(CHATTABLE), rng, held_out=False).messages for _ in range(rng.randint(1, 3))]
        earlier = tuple(message for turn in turns for message in turn)
        conversation = replace(conversation, messages=earlier + conversation.messages)
    return with_system(rng, conversation)


def plain_text(rng: Rng) -> str:
    """A line of prose, so that a bare completion prompt finds something to continue."""
    country, city = rng.choice(list(words.COUNTRIES.items()))
    answer, _ = rng.choice(words.SMALL_TALK)
    start = rng.randint(1, 60)
    return rng.choice(
        [
            f"The capital of {country} is {city}.",
            f"{city} is the capital of {country}.",
            answer,
            " ".join(str(n) for n in range(start, start + rng.randint(5, 20))),
        ]
    )


def random_copy(rng: Rng, low: int, high: int, special: dict[str, int]) -> Encoded:
    """Any tokens at all, to be repeated: what makes copying general rather than tied to the word lists."""
    body = [rng.randrange(low, high) for _ in range(rng.randint(2, 24))]
    prompt = [special["<|user|>"], *body, special["<|end|>"], special["<|assistant|>"]]
    answer = [*body, special["<|end|>"]]
    return prompt + answer, [IGNORED] * len(prompt) + answer


def token_id(tokenizer: PreTrainedTokenizerBase, token: str) -> int:
    index = tokenizer.convert_tokens_to_ids(token)
    assert isinstance(index, int)
    return index


def encode(tokenizer: PreTrainedTokenizerBase, conversation: Conversation) -> Encoded:
    """Token ids through the shipped template; the loss counts what the assistant says, its end included."""
    text = tokenizer.apply_chat_template(
        list(conversation.messages), tools=list(conversation.tools) or None, tokenize=False
    )
    ids = tokenizer.encode(text, add_special_tokens=False)
    begin, end = token_id(tokenizer, "<|assistant|>"), token_id(tokenizer, "<|end|>")
    labels, speaking = [], False
    for token in ids:
        labels.append(token if speaking else IGNORED)
        speaking = token == begin or (speaking and token != end)
    return ids, labels


def documents(tokenizer: PreTrainedTokenizerBase, rng: Rng, mix: Mix, copies: float) -> Iterator[Encoded]:
    """An endless stream of training documents; `copies` is the share of random-token copying."""
    special = {name: token_id(tokenizer, name) for name in ["<|user|>", "<|end|>", "<|assistant|>"]}
    low = len(tokenizer.added_tokens_encoder)
    while True:
        if rng.random() < copies:
            yield random_copy(rng, low, len(tokenizer), special)
        elif rng.random() < 0.02:
            ids = [*tokenizer.encode(plain_text(rng)), special["<|end|>"]]
            yield ids, [IGNORED, *ids[1:]]
        else:
            yield encode(tokenizer, training_conversation(rng, mix))
