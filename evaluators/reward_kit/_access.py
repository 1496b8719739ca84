"""Dictionary-style access to the fields of a Pydantic model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel


class DictAccess(BaseModel):
    """
    A model whose fields can also be read and written like the keys of a dictionary.

    A field that is None counts as absent, so that `message.get("content", "")` yields text for the
    empty assistant message which carries a tool call:

        message.content == message["content"] == message.get("content", "")
    """

    def __getitem__(self, key: str) -> Any:
        fields = self.__dict__
        if key in fields:
            return fields[key]
        extras = self._extras()
        if key in extras:
            return extras[key]
        raise KeyError(f"{type(self).__name__} has no field {key!r}")

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, value)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def get(self, key: str, default: Any = None) -> Any:
        """Return the field's value, or `default` when it is None or unknown."""
        value = self.__dict__.get(key)
        if value is None:
            value = self._extras().get(key)
        return default if value is None else value

    def keys(self) -> list[str]:
        """List the fields that hold a value, in declaration order."""
        return [key for key, value in {**self.__dict__, **self._extras()}.items() if value is not None]

    def values(self) -> list[Any]:
        """List the values in the order of `keys`."""
        return [self[key] for key in self.keys()]

    def items(self) -> list[tuple[str, Any]]:
        """List (key, value) pairs in the order of `keys`."""
        return [(key, self[key]) for key in self.keys()]

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data, leaving out what is None."""
        return self.model_dump(exclude_none=True)

    def _extras(self) -> dict[str, Any]:
        return self.__pydantic_extra__ or {}
