from __future__ import annotations

import pytest

from sparrel.cli.durations import to_wire


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("30s", "30s"),
        ("10m", "600s"),
        ("1h", "3600s"),
        ("168h0m0s", "604800s"),
        ("1h30m", "5400s"),
        ("1.5h", "5400s"),
        ("1.5s", "1.5s"),
        (".5s", "0.5s"),
        ("300ms", "0.3s"),
        ("1us", "0.000001s"),
        ("0", "0s"),
        ("0s", "0s"),
        ("+5s", "5s"),
        ("-5s", "-5s"),
        ("100s", "100s"),
    ],
)
def test_go_durations_become_the_wires_seconds(text: str, wire: str) -> None:
    assert to_wire(text) == wire


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "1h 30m", "5d", "1e3s", "5sx", "--5s", "."])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as"):
        to_wire(text)
