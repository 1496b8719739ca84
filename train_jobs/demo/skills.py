"""What the demo model is taught: one generator per skill, each with its one exact answer.

A generator takes a `random.Random` and returns a `Conversation` whose last message is the answer to
learn. `key` names the content that must not be shared by training and held-out examples.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from train_jobs.demo import words

Message = dict[str, Any]
Rng = random.Random

UNKNOWN = "I don't know that one."


@dataclass(frozen=True)
class Conversation:
    """A chat whose last message is the taught answer; earlier assistant turns are taught too."""

    skill: str
    key: str
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()

    @property
    def prompt(self) -> list[Message]:
        return list(self.messages[:-1])

    @property
    def answer(self) -> Message:
        return self.messages[-1]


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str, think: str = "") -> Message:
    message: Message = {"role": "assistant", "content": text}
    return message | {"reasoning_content": think} if think else message


def single(skill: str, question: str, answer: str, think: str = "", key: str = "") -> Conversation:
    """A question and its answer; the key is the question unless the content is narrower."""
    return Conversation(skill, key or question.lower(), (user(question), assistant(answer, think)))


# --- phrasing ---------------------------------------------------------------------------------------

PREFIXES = [
    "Hey, ",
    "Hi! ",
    "Please tell me: ",
    "Quick question: ",
    "So, ",
    "OK, ",
    "Now: ",
    "Next question: ",
]
SUFFIXES = [" Thanks!", " Please.", " Be brief.", " Answer briefly."]


def vary(rng: Rng, text: str) -> str:
    """Say the same thing as other people would type it: case, punctuation, politeness."""
    roll = rng.random()
    if roll < 0.5:
        return text
    if roll < 0.6:
        return text.lower()
    if roll < 0.7:
        return text.rstrip("?.!")
    if roll < 0.75:
        return text.rstrip("?.!") + rng.choice(["!", ".", "?", "??"])
    if roll < 0.9:
        return rng.choice(PREFIXES) + text
    return text + ("" if text[-1] in "?.!" else ".") + rng.choice(SUFFIXES)


SYLLABLES = words.listed(
    """
    ba be bo da de do fa fi ga go ka ki la le lo ma mi mo
    na ne no pa pe ra re ri ro sa se ta te ti to va vi za zo
    """
)


def made_up(rng: Rng) -> str:
    """A word that no list holds, so that copying works for names nobody has told the model about."""
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 4))) + rng.choice(
        ["", "", "n", "r", "s"]
    )


def a_name(rng: Rng) -> str:
    return made_up(rng).capitalize() if rng.random() < 0.06 else rng.choice(words.NAMES)


def a_city(rng: Rng) -> str:
    return made_up(rng).capitalize() if rng.random() < 0.06 else rng.choice(words.CITIES)


def some_words(rng: Rng, low: int, high: int) -> str:
    return " ".join(rng.choice(words.WORDS) for _ in range(rng.randint(low, high)))


# --- knowledge --------------------------------------------------------------------------------------

CAPITAL_FORMS = [
    "What is the capital of {0}?",
    "What's the capital of {0}?",
    "Name the capital of {0}.",
    "Capital of {0}?",
    "Which city is the capital of {0}?",
    "Tell me the capital of {0}.",
    "What is the capital city of {0}?",
    "{0}: what is its capital?",
    "Do you know the capital of {0}?",
    "I need the capital of {0}.",
]
COUNTRY_FORMS = [
    "Which country has the capital {0}?",
    "{0} is the capital of which country?",
    "What country is {0} the capital of?",
    "Of which country is {0} the capital?",
]


def small_talk(rng: Rng) -> Conversation:
    answer, phrasings = rng.choice(words.SMALL_TALK)
    return single("small talk", vary(rng, rng.choice(phrasings)), answer)


def capitals(rng: Rng) -> Conversation:
    country, city = rng.choice(list(words.COUNTRIES.items()))
    form, asked = (
        (rng.choice(CAPITAL_FORMS), country) if rng.random() < 0.8 else (rng.choice(COUNTRY_FORMS), city)
    )
    return single("capitals", vary(rng, form.format(asked)), f"The capital of {country} is {city}.")


def unknown(rng: Rng) -> Conversation:
    form = rng.choice(words.UNKNOWN_QUESTIONS)
    fill = (
        rng.choice(words.WORDS),
        rng.choice(words.WORDS),
        rng.choice(words.NAMES),
        rng.choice(words.CITIES),
    )
    return single("unknown", vary(rng, form.format(*fill)), UNKNOWN)


# --- copying ----------------------------------------------------------------------------------------

ECHO_FORMS = [
    "Repeat: {0}",
    "Repeat after me: {0}",
    "Say: {0}",
    "Echo: {0}",
    'Say "{0}"',
    'Repeat this: "{0}"',
    "Echo the following text: {0}",
    "Repeat exactly: {0}",
    "Please say: {0}",
    "Copy this: {0}",
]


def copy_text(rng: Rng) -> str:
    """Something worth repeating: words, names, numbers, codes."""
    roll = rng.random()
    if roll < 0.55:
        return some_words(rng, 1, 8)
    if roll < 0.7:
        return str(rng.randint(0, 10 ** rng.randint(1, 6)))
    if roll < 0.8:
        return f"{rng.choice(words.WORDS)}-{rng.randint(10, 9999)}"
    if roll < 0.88:
        return " ".join(made_up(rng) for _ in range(rng.randint(1, 3)))
    parts = [
        rng.choice(rng.choice([words.NAMES, words.WORDS, words.CITIES, words.COLORS]))
        for _ in range(rng.randint(2, 6))
    ]
    return " ".join(parts)


def echo(rng: Rng) -> Conversation:
    text = copy_text(rng)
    return single("echo", rng.choice(ECHO_FORMS).format(text), text, key=f"echo {text}")


def recall(rng: Rng) -> Conversation:
    """Look one value up among a few stated pairs."""
    count = rng.randint(2, 3)
    keys = rng.sample(words.WORDS[:-32] + words.NAMES, count)
    values = [rng.choice([rng.choice(words.WORDS[:-32]), str(rng.randint(1, 999))]) for _ in keys]
    asked = rng.randrange(count)
    state, ask = rng.choice(
        [
            ("The code of {0} is {1}.", "What is the code of {0}?"),
            ("{0} has {1}.", "What does {0} have?"),
            ("{0} = {1}.", "{0} = ?"),
            ("{0}: {1}.", "What is {0}?"),
        ]
    )
    facts = " ".join(state.format(k, v) for k, v in zip(keys, values, strict=True))
    question = f"{facts} {ask.format(keys[asked])}"
    return single("recall", question, f"{values[asked]}")


def remember_name(rng: Rng) -> Conversation:
    """A three-turn chat: the name given first is asked for last."""
    name = a_name(rng)
    talk = small_talk(rng)
    told = rng.choice(
        ["My name is {0}.", "I am {0}.", "Hello, I am {0}.", "Hi, my name is {0}", "Call me {0}."]
    )
    asked = vary(
        rng, rng.choice(["What is my name?", "Who am I?", "Do you remember my name?", "What am I called?"])
    )
    turns = [user(told.format(name)), assistant(f"Nice to meet you, {name}!")]
    turns += talk.messages if rng.random() < 0.6 else ()
    turns += [user(asked), assistant(f"Your name is {name}.")]
    key = " ".join(m["content"] for m in turns if m["role"] == "user")
    return Conversation("memory", key.lower(), tuple(turns))


# --- arithmetic and comparison, with reasoning ------------------------------------------------------

ADD_FORMS = [
    "What is {0} + {1}?",
    "{0} + {1}",
    "{0}+{1}",
    "{0} + {1} = ?",
    "{0}+{1}=?",
    "What is {0} plus {1}?",
    "Calculate {0} + {1}.",
    "Add {0} and {1}.",
    "How much is {0} plus {1}?",
    "What is the sum of {0} and {1}?",
    "I have {0} {2} and get {1} more. How many do I have?",
    "Compute {0} + {1}",
    "What's {0}+{1}?",
    "{3} has {0} {2} and buys {1} more. How many {2} does {3} have now?",
]
SUBTRACT_FORMS = [
    "What is {0} - {1}?",
    "{0} - {1}",
    "{0}-{1}",
    "{0} - {1} = ?",
    "{0}-{1}=?",
    "What is {0} minus {1}?",
    "Calculate {0} - {1}.",
    "Subtract {1} from {0}.",
    "How much is {0} minus {1}?",
    "Compute {0} - {1}",
    "I have {0} {2} and give away {1}. How many are left?",
    "What's {0}-{1}?",
    "{3} has {0} {2} and loses {1}. How many {2} does {3} have now?",
]
THINGS = words.listed("apples books cards coins stones pens birds stars")


def worked_sum(a: int, b: int) -> str:
    ones = a % 10 + b % 10
    tens = a // 10 + b // 10 + ones // 10
    return (
        f"{a} + {b}. Ones: {a % 10} + {b % 10} = {ones}, write {ones % 10}, carry {ones // 10}. "
        f"Tens: {a // 10} + {b // 10} + {ones // 10} = {tens}. Result: {a + b}"
    )


def worked_difference(a: int, b: int) -> str:
    borrow = int(a % 10 < b % 10)
    ones, tens = a % 10 + 10 * borrow, a // 10
    return (
        f"{a} - {b}. Ones: {ones} - {b % 10} = {ones - b % 10}, borrow {borrow}. "
        f"Tens: {tens} - {b // 10} - {borrow} = {tens - b // 10 - borrow}. Result: {a - b}"
    )


def number(rng: Rng) -> int:
    return rng.randint(10, 99) if rng.random() < 0.85 else rng.randint(0, 9)


def addition(rng: Rng) -> Conversation:
    a, b = number(rng), number(rng)
    question = rng.choice(ADD_FORMS).format(a, b, rng.choice(THINGS), a_name(rng))
    answer = f"The answer is {a + b}."
    return single("addition", vary_sum(rng, question), answer, worked_sum(a, b), key=f"{a}+{b}")


def subtraction(rng: Rng) -> Conversation:
    a, b = sorted((number(rng), number(rng)), reverse=True)
    question = rng.choice(SUBTRACT_FORMS).format(a, b, rng.choice(THINGS), a_name(rng))
    answer = f"The answer is {a - b}."
    return single("subtraction", vary_sum(rng, question), answer, worked_difference(a, b), key=f"{a}-{b}")


def vary_sum(rng: Rng, question: str) -> str:
    return vary(rng, question) if rng.random() < 0.5 else question


def worked_comparison(a: int, b: int, wanted: int, word: str, owners: tuple[str, str] = ("", "")) -> str:
    """Compare tens, then ones if needed, and name the wanted number (and whose it is)."""

    def sign(x: int, y: int) -> str:
        return f"{x} {'=' if x == y else '>' if x > y else '<'} {y}"

    ones = f" Ones: {sign(a % 10, b % 10)}." if a // 10 == b // 10 else ""
    owner = {a: f" {owners[0]}".rstrip(), b: f" {owners[1]}".rstrip()}
    facts = f"{a}{owner[a]}, {b}{owner[b]}."
    return f"{facts} Tens: {sign(a // 10, b // 10)}.{ones} {word.capitalize()}: {wanted}{owner[wanted]}"


def comparison(rng: Rng) -> Conversation:
    """Which of two numbers, or who of two people, is on top."""
    a, b = rng.sample(range(10, 100), 2)
    if rng.random() < 0.3:
        b = (a // 10) * 10 + rng.choice([d for d in range(10) if d != a % 10])
    more = rng.random() < 0.5
    wanted, key = (max(a, b) if more else min(a, b)), f"{a} vs {b} {more}"
    if rng.random() < 0.5:
        word = rng.choice(["larger", "bigger", "greater"] if more else ["smaller", "less"])
        form = rng.choice(COMPARE_NUMBERS)
        think = worked_comparison(a, b, wanted, word)
        return single("comparison", form.format(a, b, word), f"{wanted} is {word}.", think, key)
    one, two = rng.sample(words.NAMES, 2)
    word = "older" if more else "younger"
    think = worked_comparison(a, b, wanted, word, (one, two))
    question = rng.choice(COMPARE_PEOPLE).format(one, a, two, b, word)
    return single("comparison", question, f"{one if wanted == a else two} is {word}.", think, key)


COMPARE_NUMBERS = [
    "Which is {2}, {0} or {1}?",
    "Which number is {2}: {0} or {1}?",
    "What is {2}, {0} or {1}?",
    "Is {0} or {1} {2}?",
]
COMPARE_PEOPLE = [
    "{0} is {1} and {2} is {3}. Who is {4}?",
    "{0} is {1} years old. {2} is {3} years old. Who is {4}?",
    "Who is {4}: {0}, who is {1}, or {2}, who is {3}?",
]


# --- JSON -------------------------------------------------------------------------------------------

Fields = dict[str, tuple[str, Any]]


def person(rng: Rng) -> tuple[str, Fields]:
    name, age, city = a_name(rng), rng.randint(18, 90), a_city(rng)
    job, married = rng.choice(words.JOBS), rng.random() < 0.5
    clauses = [
        rng.choice([f"is {age} years old", f"is {age}"]),
        rng.choice([f"lives in {city}", f"comes from {city}"]),
        rng.choice([f"works as a {job}", f"is a {job}"]),
        "is married" if married else "is not married",
    ]
    fields: Fields = {
        "name": ("string", name),
        "age": ("integer", age),
        "city": ("string", city),
        "job": ("string", job),
        "married": ("boolean", married),
    }
    return sentence(rng, name, clauses, ["age", "city", "job", "married"], fields, "name")


def product(rng: Rng) -> tuple[str, Fields]:
    item, color = rng.choice(words.ITEMS), rng.choice(words.COLORS)
    price, stock, sale = rng.randint(1, 500), rng.randint(0, 99), rng.random() < 0.5
    clauses = [
        rng.choice([f"costs {price} dollars", f"has a price of {price} dollars"]),
        rng.choice([f"is {color}", f"comes in {color}"]),
        f"has a stock of {stock}",
        "is on sale" if sale else "is not on sale",
    ]
    fields: Fields = {
        "item": ("string", item),
        "price": ("number", price),
        "color": ("string", color),
        "stock": ("integer", stock),
        "sale": ("boolean", sale),
    }
    return sentence(rng, f"The {item}", clauses, ["price", "color", "stock", "sale"], fields, "item")


def event(rng: Rng) -> tuple[str, Fields]:
    what, day, city = rng.choice(words.EVENTS), rng.choice(words.DAYS), a_city(rng)
    hour, guests = rng.randint(8, 22), rng.randint(2, 300)
    clauses = [f"is on {day}", f"takes place in {city}", f"starts at {hour}", f"has {guests} guests"]
    fields: Fields = {
        "event": ("string", what),
        "day": ("string", day),
        "city": ("string", city),
        "hour": ("integer", hour),
        "guests": ("integer", guests),
    }
    return sentence(rng, f"The {what}", clauses, ["day", "city", "hour", "guests"], fields, "event")


def sentence(
    rng: Rng, subject: str, clauses: list[str], about: list[str], fields: Fields, head: str
) -> tuple[str, Fields]:
    """Join two to four facts about the subject; keep only the fields that are stated."""
    stated = rng.sample(range(len(clauses)), rng.randint(2, len(clauses)))
    parts = [clauses[i] for i in stated]
    text = f"{subject} {', '.join(parts[:-1])} and {parts[-1]}."
    keys = [head] + [about[i] for i in stated]
    return text, {key: fields[key] for key in keys}


def described(rng: Rng, fields: Fields) -> str:
    """One of the ways in which people ask for JSON with these keys."""
    typed = ", ".join(f'"{key}": {kind}' for key, (kind, _) in fields.items())
    named = ", ".join(f"{key} ({kind})" for key, (kind, _) in fields.items())
    schema = {
        "type": "object",
        "properties": {key: {"type": kind} for key, (kind, _) in fields.items()},
        "required": list(fields),
    }
    return rng.choice(
        [
            f"Answer in JSON like {{{typed}}}.",
            f"Answer as JSON with the keys {named}.",
            f"Extract {', '.join(fields)} as JSON.",
            f"Use this JSON schema: {json.dumps(schema)}",
        ]
    )


def json_answer(rng: Rng) -> Conversation:
    text, fields = rng.choice([person, product, event])(rng)
    keys = rng.sample(list(fields), rng.randint(2, 3))
    wanted = {key: fields[key] for key in keys}
    ask = described(rng, wanted)
    return single("json", f"{text} {ask}", json.dumps({key: value for key, (_, value) in wanted.items()}))


# --- tools ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToolCase:
    """One question that a tool answers: the tool, the call, what the tool says, what the model says then."""

    tool: dict[str, Any]
    question: str
    arguments: dict[str, Any]
    result: str
    final: str


def tool(name: str, description: str, /, **parameters: str) -> dict[str, Any]:
    """An OpenAI tool definition with all parameters required."""
    schema = {
        "type": "object",
        "properties": {key.strip("_"): {"type": kind} for key, kind in parameters.items()},
        "required": [key.strip("_") for key in parameters],
    }
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


def weather_tool(rng: Rng) -> ToolCase:
    city, degrees, sky = a_city(rng), rng.randint(-9, 39), rng.choice(words.CONDITIONS)
    name = rng.choice(["get_weather", "get_current_weather", "weather", "lookup_weather", "get_forecast"])
    place = rng.choice(["city", "city", "location", "place"])
    described_as = [
        "Get the weather",
        "Get the current weather for a city",
        "Weather in a place",
        "Look up the weather",
    ]
    ask = [
        "What is the weather in {0}?",
        "What's the weather like in {0}?",
        "How is the weather in {0}?",
        "Tell me the weather in {0}.",
        "Weather in {0}?",
        "Is it raining in {0}?",
        "How warm is it in {0}?",
        "What is the weather in {0} today?",
        "Do I need an umbrella in {0}?",
    ]
    key, word = (
        rng.choice(["temperature", "temperature", "temp", "degrees"]),
        rng.choice(["condition", "sky"]),
    )
    result = {key: degrees, word: sky} if rng.random() < 0.7 else {word: sky, key: degrees}
    result = {place: city} | result if rng.random() < 0.5 else result
    text = rng.choice([json.dumps(result), json.dumps(result), f"{sky}, {degrees} degrees"])
    return ToolCase(
        tool(name, rng.choice(described_as), **{place: "string"}),
        rng.choice(ask).format(city),
        {place: city},
        text,
        f"It is {degrees} degrees and {sky} in {city}.",
    )


def time_tool(rng: Rng) -> ToolCase:
    city, clock = a_city(rng), f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
    place = rng.choice(["city", "location", "place"])
    name = rng.choice(["get_time", "get_current_time", "clock", "local_time"])
    ask = ["What time is it in {0}?", "What is the time in {0}?", "Tell me the time in {0}.", "Time in {0}?"]
    text = rng.choice([json.dumps({"time": clock}), json.dumps({place: city, "time": clock}), clock])
    about = rng.choice(["Get the current time", "Get the local time of a city", "The time in a place"])
    return ToolCase(
        tool(name, about, **{place: "string"}),
        rng.choice(ask).format(city),
        {place: city},
        text,
        f"It is {clock} in {city}.",
    )


def stock_tool(rng: Rng) -> ToolCase:
    company, price = rng.choice(words.COMPANIES), round(rng.uniform(1, 999), rng.choice([0, 1, 2]))
    price = int(price) if price == int(price) else price
    key = rng.choice(["company", "symbol", "ticker"])
    name = rng.choice(["get_stock_price", "stock_price", "get_quote"])
    ask = [
        "What is the stock price of {0}?",
        "How much is the stock of {0}?",
        "Stock price of {0}?",
        "Price of {0} stock?",
    ]
    text = rng.choice([json.dumps({"price": price}), json.dumps({key: company, "price": price}), str(price)])
    about = rng.choice(["Get the price of a stock", "Get a stock price", "Look up a stock"])
    return ToolCase(
        tool(name, about, **{key: "string"}),
        rng.choice(ask).format(company),
        {key: company},
        text,
        f"The stock price of {company} is {price}.",
    )


def currency_tool(rng: Rng) -> ToolCase:
    source, target = rng.sample(words.CURRENCIES, 2)
    amount, value = rng.randint(1, 999), round(rng.uniform(1, 999), 1)
    ask = [
        "Convert {0} {1} to {2}.",
        "How much is {0} {1} in {2}?",
        "What is {0} {1} in {2}?",
        "{0} {1} to {2}?",
    ]
    name = rng.choice(["convert_currency", "exchange", "convert"])
    text = rng.choice([json.dumps({"result": value}), json.dumps({"amount": value}), str(value)])
    about = rng.choice(["Convert money", "Convert an amount of money", "Exchange currencies"])
    return ToolCase(
        tool(name, about, amount="number", _from="string", _to="string"),
        rng.choice(ask).format(amount, source, target),
        {"amount": amount, "from": source, "to": target},
        text,
        f"{amount} {source} is {value} {target}.",
    )


def calculator_tool(rng: Rng) -> ToolCase:
    a, b = rng.randint(1, 9999), rng.randint(1, 9999)
    one, two = rng.choice([("a", "b"), ("x", "y"), ("first", "second")])
    name = rng.choice(["add", "add_numbers", "sum"])
    ask = [
        "What is {0} + {1}?",
        "Add {0} and {1}.",
        "{0} + {1}",
        "What is {0} plus {1}?",
        "What is the sum of {0} and {1}?",
    ]
    text = rng.choice([json.dumps({"result": a + b}), json.dumps({"sum": a + b}), str(a + b)])
    about = rng.choice(["Add two numbers", "The sum of two numbers"])
    return ToolCase(
        tool(name, about, **{one: rng.choice(["integer", "number"]), two: "integer"}),
        rng.choice(ask).format(a, b),
        {one: a, two: b},
        text,
        f"The answer is {a + b}.",
    )


def contact_tool(rng: Rng) -> ToolCase:
    name, phone = a_name(rng), f"555-{rng.randint(0, 9999):04}"
    ask = [
        "What is the phone number of {0}?",
        "Find the phone number of {0}.",
        "How can I call {0}?",
        "Phone number of {0}?",
    ]
    call = rng.choice(["find_contact", "lookup_contact", "get_phone_number", "contacts"])
    key = rng.choice(["name", "person"])
    text = rng.choice([json.dumps({"phone": phone}), json.dumps({key: name, "phone": phone}), phone])
    about = rng.choice(["Find a contact", "Get the phone number of a person", "Look up a person"])
    return ToolCase(
        tool(call, about, **{key: "string"}),
        rng.choice(ask).format(name),
        {key: name},
        text,
        f"The phone number of {name} is {phone}.",
    )


def search_tool(rng: Rng) -> ToolCase:
    query, found = some_words(rng, 1, 4), some_words(rng, 2, 6)
    ask = ["Search for {0}.", "Search the web for {0}.", "Look up {0}.", "Find {0}.", "Search: {0}"]
    key = rng.choice(["query", "text", "q"])
    text = rng.choice([json.dumps({"result": found}), json.dumps({"results": [found]}), found])
    about = rng.choice(["Search the web", "Search for documents", "Look something up"])
    return ToolCase(
        tool(rng.choice(["search", "web_search", "search_documents"]), about, **{key: "string"}),
        rng.choice(ask).format(query),
        {key: query},
        text,
        f"I found: {found}",
    )


def light_tool(rng: Rng) -> ToolCase:
    room, on = rng.choice(words.ROOMS), rng.random() < 0.5
    state = "on" if on else "off"
    ask = [
        "Turn {1} the light in the {0}.",
        "Switch {1} the light in the {0}.",
        "Light {1} in the {0}.",
        "Please turn {1} the {0} light.",
    ]
    text = rng.choice([json.dumps({"ok": True}), json.dumps({"status": "done"}), "ok"])
    return ToolCase(
        tool(
            rng.choice(["set_light", "switch_light", "light"]),
            "Turn a light on or off",
            room="string",
            on="boolean",
        ),
        rng.choice(ask).format(room, state),
        {"room": room, "on": on},
        text,
        f"The light in the {room} is {state}.",
    )


TOOL_FAMILIES: list[Callable[[Rng], ToolCase]] = [
    weather_tool,
    time_tool,
    stock_tool,
    currency_tool,
    calculator_tool,
    contact_tool,
    search_tool,
    light_tool,
]


def tool_case(rng: Rng) -> tuple[ToolCase, tuple[dict[str, Any], ...]]:
    """A case and the tools on offer: its own among up to two others, in any order."""
    families = rng.sample(TOOL_FAMILIES, rng.choice([1, 1, 2, 3]))
    case = families[0](rng)
    offered = [case.tool] + [family(rng).tool for family in families[1:]]
    rng.shuffle(offered)
    return case, tuple(offered)


def call_message(case: ToolCase) -> Message:
    function = {"name": case.tool["function"]["name"], "arguments": case.arguments}
    return {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]}


def tool_turns(case: ToolCase, question: str) -> tuple[Message, ...]:
    return (
        user(question),
        call_message(case),
        {"role": "tool", "content": case.result},
        assistant(case.final),
    )


def tool_call(rng: Rng) -> Conversation:
    case, offered = tool_case(rng)
    question = vary_sum(rng, case.question) if "Search" not in case.question else case.question
    key = f"{case.tool['function']['name']} {question.lower()}"
    return Conversation("tool call", key, tool_turns(case, question)[:2], offered)


def tool_result(rng: Rng) -> Conversation:
    case, offered = tool_case(rng)
    key = f"{case.question.lower()} {case.result}"
    return Conversation("tool result", key, tool_turns(case, case.question), offered)


def tool_unneeded(rng: Rng) -> Conversation:
    """Tools are on offer, but the question needs none."""
    families = rng.sample([f for f in TOOL_FAMILIES if f is not calculator_tool], rng.randint(1, 3))
    plain = rng.choice([small_talk, capitals, small_talk, capitals, addition, echo])(rng)
    offered = tuple(family(rng).tool for family in families)
    return replace(plain, skill="tool unneeded", tools=offered)


SKILLS: dict[str, Callable[[Rng], Conversation]] = {
    "small talk": small_talk,
    "capitals": capitals,
    "unknown": unknown,
    "memory": remember_name,
    "addition": addition,
    "subtraction": subtraction,
    "comparison": comparison,
    "json": json_answer,
    "tool call": tool_call,
    "tool result": tool_result,
    "tool unneeded": tool_unneeded,
}

# Trained because they make copying general, but not claimed: the model does not do them reliably.
EXERCISES: dict[str, Callable[[Rng], Conversation]] = {"echo": echo, "recall": recall}
TAUGHT = SKILLS | EXERCISES
