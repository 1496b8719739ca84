"""Names are written in full or as bare ids; some accounts have an alias."""

from __future__ import annotations

import pytest

from sparrel.errors import InvalidArgument
from sparrel.kernel import names
from sparrel.kernel.pagination import decode_token, encode_token, fingerprint, page_size
from sparrel.kernel.resource import IdRule


@pytest.mark.parametrize("value", ["a", "my-model", "llama-v3p1-8b-instruct", "a" * 63])
def test_ids_that_a_caller_may_choose(value: str) -> None:
    names.check_id(value, IdRule())


@pytest.mark.parametrize("value", ["A", "1a", "-a", "a-", "a_b", "a" * 64, "a b", "ä", "a/b", "a\n"])
def test_ids_that_a_caller_may_not_choose(value: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid id"):
        names.check_id(value, IdRule())


def test_the_message_for_an_empty_id_is_the_one_that_clients_know() -> None:
    with pytest.raises(InvalidArgument, match=r"^invalid id: id must be at least 1 character long$"):
        names.check_id("", IdRule())


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("m", "accounts/acme/models/m"),
        ("accounts/other/models/m", "accounts/other/models/m"),
        ("accounts/fireworks/models/m", "accounts/sparrel/models/m"),
    ],
)
def test_references_are_completed(value: str, name: str) -> None:
    assert names.complete(value, "models", "acme") == name


@pytest.mark.parametrize(
    "value", ["accounts/a/datasets/m", "a/m", "accounts/a/models/", "models/m", "/", "a b"]
)
def test_what_is_no_reference_is_refused(value: str) -> None:
    with pytest.raises(InvalidArgument):
        names.complete(value, "models", "acme")


def test_a_token_belongs_to_its_request() -> None:
    request = fingerprint({"filter": "a"})
    token = encode_token(("x", 1, True), request)
    assert decode_token(token, request) == ("x", 1, True)
    with pytest.raises(InvalidArgument, match="other parameters"):
        decode_token(token, fingerprint({"filter": "b"}))


@pytest.mark.parametrize("token", ["x", "!!!", "e30", "bnVsbA", "W10", "é"])
def test_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument, match="pageToken"):
        decode_token(token, fingerprint({}))


def test_no_cursor_is_no_token() -> None:
    assert encode_token(None, "r") == ""
    assert decode_token("", "r") is None


@pytest.mark.parametrize(("asked", "given"), [(0, 50), (-5, 50), (1, 1), (200, 200), (10**9, 200)])
def test_page_sizes_are_coerced(asked: int, given: int) -> None:
    assert page_size(asked, 50, 200) == given
