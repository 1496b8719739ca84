"""docs/adding-a-resource.md is true: its one file is all that a new resource takes."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import sparrel.control.rules
import sparrel.resources
from sparrel.control.store import Store
from sparrel.kernel.catalog import catalog
from tests.support.platform import running_platform

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-resource.md"
MODULES = ("sparrel.resources.notebook", "sparrel.control.rules.notebooks")


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the page's two files where the platform looks for its own."""
    blocks = re.findall(r"```python\n# platform/(\S+)\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    packages: tuple[types.ModuleType, ...] = (sparrel.resources, sparrel.control.rules)
    for (path, code), package in zip(blocks, packages, strict=True):
        file = tmp_path / path
        file.parent.mkdir(parents=True)
        file.write_text(code)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(file.parent)])
    catalog.cache_clear()
    yield
    catalog.cache_clear()
    for module in MODULES:
        sys.modules.pop(module, None)


@pytest.mark.usefixtures("notebook")
async def test_one_file_adds_a_resource(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(database_url)
    async with running_platform(store, tmp_path) as platform:
        await platform.add_model("accounts/acme/models/m")
        notebooks = "accounts/acme/notebooks"
        made = await platform.admin.ok("POST", notebooks, {"model": "m", "text": "fast", "displayName": "n1"})
        assert made["model"] == "accounts/acme/models/m"
        page = await platform.admin.ok("GET", notebooks, filter='display_name="n*"')
        assert [n["name"] for n in page["notebooks"]] == [made["name"]]
        await platform.admin.ok("POST", f"{made['name']}:clear")
        assert (await platform.admin.ok("GET", made["name"]))["text"] == ""
        assert "model" in await platform.admin.fails(400, "POST", notebooks, {})
        assert "not found" in await platform.admin.fails(400, "POST", notebooks, {"model": "absent"})
        await platform.other.fails(404, "GET", made["name"])
        openapi = (await platform.admin.http.get("/openapi.json")).json()
        assert "/v1/accounts/{accountId}/notebooks/{notebookId}:clear" in openapi["paths"]
    await store.close()
