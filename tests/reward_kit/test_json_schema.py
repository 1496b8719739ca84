"""JSON in responses is found and validated."""

import pytest

from reward_kit.errors import UsageError
from reward_kit.rewards.json_schema import json_schema_reward, validate_json_string

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0},
        "email": {"type": "string", "format": "email"},
        "interests": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "age", "email"],
}
JANE = '{"name": "Jane Smith", "age": 32, "email": "jane.smith@example.com", "interests": ["hiking"]}'


@pytest.mark.parametrize(
    ("text", "score"),
    [
        (f"Here's a JSON object:\n```json\n{JANE}\n```\nThis is it.", 1.0),
        (f"```\n{JANE}\n```", 1.0),
        (f"Sure: {JANE} as asked.", 1.0),
        (JANE.replace("32", '"32"'), 0.0),
        (JANE.replace("32", "-1"), 0.0),
        (JANE.replace("jane.smith@example.com", "jane"), 0.0),
        ('```json\n{"name": "W", "price": 1, // a remark\n}\n```', 0.0),
        ("no JSON at all", 0.0),
    ],
)
def test_json_is_found_and_validated(chat, text, score):
    assert json_schema_reward(messages=chat(text), schema=PERSON).score == score


def test_adherence_says_how_much_of_the_schema_is_met(chat):
    result = json_schema_reward(chat('{"name": "Jane", "age": "x", "email": "j@x.org"}'), schema=PERSON)
    assert (result.score, result.metrics["schema_adherence"].score) == (0.0, 0.75)
    assert "age: 'x' is not of type 'integer'" in result.reason


def test_an_own_extractor_finds_the_json(chat):
    text = f"USER DATA: <<{JANE}>> and {{}}"
    found = json_schema_reward(
        chat(text), schema=PERSON, json_extractor=lambda message: message.split("<<")[1].split(">>")[0]
    )
    assert found.score == 1.0
    assert json_schema_reward(chat(text), schema=PERSON, json_extractor=lambda message: None).score == 0.0


def test_one_of_several_objects_is_chosen_by_index(chat):
    text = f'Person:\n```json\n{JANE}\n```\nPet:\n```json\n{{"name": "Buddy"}}\n```'
    scores = [json_schema_reward(chat(text), schema=PERSON, json_index=index).score for index in (0, 1, 2)]
    assert scores == [1.0, 0.0, 0.0]


def test_any_or_all_of_several_schemas_have_to_hold(chat):
    schemas = [
        {"properties": {"role": {"enum": ["user"]}}, "required": ["role"]},
        {"properties": {"role": {"enum": ["admin"]}}, "required": ["role"]},
    ]
    text = '{"role": "admin"}'
    assert json_schema_reward(chat(text), schema=schemas, require_all_valid=False).score == 1.0
    assert json_schema_reward(chat(text), schema=schemas, require_all_valid=True).score == 0.0


def test_json_can_be_validated_directly():
    assert validate_json_string(json_str=JANE, schema=PERSON)["valid"]
    result = validate_json_string('{"name": "A"}', PERSON)
    assert not result["valid"]
    assert result["errors"] == ["'age' is a required property", "'email' is a required property"]
    assert json_schema_reward(json_content={"name": "A"}, expected_schema=PERSON).score == 0.0


def test_a_broken_schema_is_raised(chat):
    for schema in (None, [], "{", {"type": "nonsense"}):
        with pytest.raises(UsageError):
            json_schema_reward(chat(JANE), schema=schema)
