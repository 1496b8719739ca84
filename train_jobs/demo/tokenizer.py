"""A byte-level BPE tokenizer fitted to the demo corpus: common words are one token, digits stay single."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from train_jobs.demo import corpus, skills, words

SPECIAL_TOKENS = [
    "<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>",
    "<think>", "</think>", "<tool_call>", "</tool_call>",
]  # fmt: skip
TEMPLATE = Path(__file__).with_name("template.jinja")
# Like GPT-2's pattern, but a digit is always alone and never takes the space before it.
SPLIT = r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def build_tokenizer(
    seed: int, vocabulary: int = 2304, merged: int = 704, samples: int = 20_000
) -> PreTrainedTokenizerFast:
    """Train the tokenizer on generated conversations and attach the chat template.

    The first `merged` entries are an ordinary byte-level BPE, which can spell any text; the rest are the
    corpus's most frequent whole words. `ignore_merges` lets such a word be one token without the chain of
    merges that would lead to it.
    """
    lines = training_text(seed, samples)
    pieces = train_pieces(lines, merged)
    model = json.loads(pieces.to_str())["model"]
    vocab: dict[str, int] = model["vocab"]
    for word in frequent_words(pieces.pre_tokenizer, lines):
        if len(vocab) == vocabulary:
            break
        vocab.setdefault(word, len(vocab))
    merges = [tuple(pair) for pair in model["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=True))
    tokenizer.pre_tokenizer, tokenizer.decoder = pieces.pre_tokenizer, decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL_TOKENS)
    return wrap(tokenizer)


def train_pieces(lines: list[str], size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def frequent_words(splitter: pre_tokenizers.PreTokenizer, lines: list[str]) -> list[str]:
    """The pieces between which BPE never merges, most frequent first (ties in alphabetical order)."""
    counts = Counter(piece for line in lines for piece, _ in splitter.pre_tokenize_str(line))
    return sorted(counts, key=lambda piece: (-counts[piece], piece))


def wrap(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        eos_token="<|end|>",
        additional_special_tokens=["<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"],
        model_max_length=2048,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = TEMPLATE.read_text()
    return fast


def training_text(seed: int, samples: int) -> list[str]:
    """Every list word with and without a space before it, and the text of sampled conversations."""
    rng = random.Random(seed)
    listed = [
        *words.NAMES,
        *words.WORDS,
        *words.JOBS,
        *words.COLORS,
        *words.ANIMALS,
        *words.ITEMS,
        *words.EVENTS,
    ]
    listed += [
        *words.DAYS,
        *words.ROOMS,
        *words.CONDITIONS,
        *words.CURRENCIES,
        *words.COMPANIES,
        *words.CITIES,
    ]
    listed += [*words.COUNTRIES, *words.COUNTRIES.values()]
    lines = [text for word in listed for text in (word, f" {word}") for _ in range(200)]
    for _ in range(samples):
        skill = rng.choice(list(skills.SKILLS))
        conversation = corpus.draw(skill, rng, held_out=False)
        for message in conversation.messages:
            lines.append(message["content"])
            lines.append(message.get("reasoning_content", ""))
        lines += [f"{tool['function']['name']}({tool['function']})" for tool in conversation.tools]
    return lines
