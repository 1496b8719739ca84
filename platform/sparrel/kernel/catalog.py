"""Every resource the platform has, found by looking into `sparrel.resources`.

A new file there is a new resource: nothing else has to name it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from sparrel.kernel.resource import Resource

RESOURCES_PACKAGE = "sparrel.resources"


@cache
def catalog() -> Mapping[str, type[Resource]]:
    """Return the declarations by collection, in alphabetical order."""
    found: dict[str, type[Resource]] = {}
    package = importlib.import_module(RESOURCES_PACKAGE)
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{RESOURCES_PACKAGE}.{module_info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Resource) and "spec" in vars(value):
                _add(found, value)
    return dict(sorted(found.items()))


def _add(found: dict[str, type[Resource]], resource: type[Resource]) -> None:
    other = found.setdefault(resource.spec.collection, resource)
    if other is not resource:
        raise TypeError(f"{other.__name__} and {resource.__name__} both declare {resource.spec.collection}")


def resource(collection: str) -> type[Resource]:
    """Return the declaration of a collection; raise KeyError."""
    return catalog()[collection]


def resource_for_noun(noun: str) -> type[Resource] | None:
    """Return what a CLI noun means: `deployment`, `deployments`, `api-key`, `sftj`."""
    for declared in catalog().values():
        if noun in declared.spec.nouns:
            return declared
    return None
