"""Does the response hold JSON that obeys a schema?"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import MissingDependencyError, UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, response_text, result
from ._json_text import find_json, parse_json

Schema = dict[str, Any]


@reward_function
def json_schema_reward(
    messages: list[Message] | None = None,
    ground_truth: Any = None,
    schema: Schema | str | Sequence[Schema] | None = None,
    json_extractor: Callable[[str], str | None] | None = None,
    json_index: int | None = None,
    require_all_valid: bool | None = None,
    json_content: dict[str, Any] | list[Any] | str | None = None,
    expected_schema: Schema | str | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score 1.0 when the JSON in the response is valid, else 0.0.

    One object is validated: the one at `json_index`, by default the first. Of several schemas one
    has to hold, or all with `require_all_valid`. `json_extractor` finds the JSON in its own way,
    `json_content` gives it directly. The metric `schema_adherence` is the share of constraints met.

        '```json\\n{"name": "Ann"}\\n```', schema={"required": ["name"]}  ->  1.0
    """
    schemas = _schemas(schema if schema is not None else expected_schema)
    text = _json_text(messages, json_content, json_extractor, json_index)
    if text is None:
        return result(0.0, "no JSON found", json_extraction=metric(0.0, "no JSON found", False))
    outcomes = [validate_json_string(text, one) for one in schemas]
    combine = all if require_all_valid else any
    valid = combine(outcome["valid"] for outcome in outcomes)
    errors = min((outcome["errors"] for outcome in outcomes), key=len) if not require_all_valid else []
    errors = errors or [error for outcome in outcomes for error in outcome["errors"]]
    reason = "the JSON obeys the schema" if valid else f"the JSON is not valid: {'; '.join(errors[:5])}"
    pick = min if require_all_valid else max
    adherence = pick(outcome["adherence"] for outcome in outcomes)
    return result(
        float(valid),
        reason,
        json_extraction=metric(1.0, f"JSON of {len(text)} characters", True),
        schema_validation=metric(float(valid), reason, valid),
        schema_adherence=metric(adherence, f"{adherence:.0%} of the top-level constraints are met"),
    )


def validate_json_string(json_str: str, schema: Schema) -> dict[str, Any]:
    """
    Validate a JSON text directly.

        validate_json_string('{"a": 1}', {"required": ["b"]})
            ->  {"valid": False, "errors": ["'b' is a required property"], "adherence": 0.0}
    """
    try:
        data = parse_json(json_str)
    except ValueError as error:
        return {"valid": False, "errors": [f"not JSON: {error}"], "adherence": 0.0}
    validator = _validator(schema)
    found = sorted(validator.iter_errors(data), key=lambda error: list(map(str, error.absolute_path)))
    errors = [f"{error.json_path[2:]}: {error.message}".removeprefix(": ") for error in found]
    return {"valid": not errors, "errors": errors, "adherence": _adherence(schema, found)}


def _schemas(schema: Any) -> list[Schema]:
    if isinstance(schema, str):
        try:
            schema = json.loads(schema)
        except ValueError as error:
            raise UsageError(f"the schema is not JSON: {error}") from error
    schemas = list(schema) if isinstance(schema, (list, tuple)) else [schema]
    if not schemas or not all(isinstance(one, dict) for one in schemas):
        raise UsageError("json_schema_reward needs `schema`, a JSON Schema or a list of them")
    return schemas


def _json_text(
    messages: list[Message] | None,
    content: Any,
    extractor: Callable[[str], str | None] | None,
    index: int | None,
) -> str | None:
    if content is not None:
        return content if isinstance(content, str) else json.dumps(content)
    text = response_text(messages or [])
    if extractor is not None:
        return extractor(text)
    pieces = find_json(text)
    position = index or 0
    return pieces[position] if -len(pieces) <= position < len(pieces) else None


def _validator(schema: Schema) -> Any:
    try:
        from jsonschema import Draft202012Validator, SchemaError
        from jsonschema.validators import validator_for
    except ImportError as error:
        raise MissingDependencyError("jsonschema", "validating JSON", "json") from error
    chosen = validator_for(schema, default=Draft202012Validator)
    try:
        chosen.check_schema(schema)
    except SchemaError as error:
        raise UsageError(f"the schema is not a JSON Schema: {error.message}") from error
    return chosen(schema, format_checker=chosen.FORMAT_CHECKER)


def _adherence(schema: Schema, errors: list[Any]) -> float:
    """The share of required and described properties that raise no complaint."""
    if not errors:
        return 1.0
    names = set(schema.get("properties", {})) | set(schema.get("required", []))
    broken = {error.absolute_path[0] for error in errors if error.absolute_path}
    for error in errors:
        if error.validator == "required" and not error.absolute_path:
            broken |= {name for name in error.validator_value if name not in error.instance}
        elif not error.absolute_path:
            return 0.0
    return 1.0 - len(names & broken) / len(names) if names and names & broken else 0.0
