"""Commands made from declarations: `sparrel VERB NOUN`, for each verb and resource of the catalog.

A new file in `sparrel.resources` gets its commands here without a line of code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from sparrel.cli.command import HELP, Command
from sparrel.cli.commands.models import create_model
from sparrel.cli.echo import print_json
from sparrel.cli.flags import body_of, field_flags, param_option
from sparrel.cli.output import print_document, print_table
from sparrel.cli.progress import waiting
from sparrel.cli.session import current
from sparrel.cli.special import special_for
from sparrel.kernel.catalog import catalog, resource_for_noun
from sparrel.kernel.fields import Kind
from sparrel.kernel.resource import Bare, CustomVerb, Resource, Verb, Wrapped

Maker = Callable[[type[Resource], str], click.Command]

DRY_RUN = ["--dry-run"]


class NounGroup(click.Group):
    """`sparrel VERB`: one command for each resource that offers the verb; nouns in singular or plural."""

    def __init__(self, name: str, maker: Maker, offers: Callable[[type[Resource]], bool], help: str) -> None:
        super().__init__(name, help=help, context_settings=HELP)
        self._maker = maker
        self._offers = offers

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(r.spec.nouns[0] for r in catalog().values() if r.spec.nouns and self._offers(r))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        resource = resource_for_noun(name)
        if resource is None or not self._offers(resource):
            return None
        return self._maker(resource, resource.spec.nouns[0])

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(context, args[0]) is None:
            offered = ", ".join(self.list_commands(context))
            raise click.UsageError(f"{self.name!r} knows no {args[0]!r}, only: {offered}", context)
        return super().resolve_command(context, args)


def verb_group(name: str) -> click.Group | None:
    """Return the group of a verb that some resource declares itself: `undelete`, `scale`."""
    verbs = {resource: verb for resource, verb in _own_verbs() if _kebab(verb.name) == name}
    if not verbs:
        return None
    first = next(iter(verbs.values()))
    return NounGroup(
        name, lambda resource, noun: _custom(resource, noun, verbs[resource]), verbs.__contains__, first.doc
    )


def verb_names() -> list[str]:
    return sorted({_kebab(verb.name) for _, verb in _own_verbs()})


def _own_verbs() -> Iterator[tuple[type[Resource], CustomVerb]]:
    for resource in catalog().values():
        for verb in resource.spec.custom:
            if verb.on == "item" and resource.spec.nouns and _fits_a_command(verb):
                yield resource, verb


def _fits_a_command(verb: CustomVerb) -> bool:
    """Whether the verb's arguments can be written as flags."""
    fields = verb.request.fields().values() if verb.request is not None else ()
    return all(spec.kind not in (Kind.MAP, Kind.MESSAGE, Kind.LIST) for spec in fields)


# --- one command for each standard method ----------------------------------------------------------


def _get(resource: type[Resource], noun: str) -> click.Command:
    def run(name: str, dry_run: bool) -> None:
        with current().client() as client:
            collection = client.collection(resource.spec.collection)
            if dry_run:
                return print_json({"method": "GET", "path": collection.path(name)})
            _show(resource, collection.get(name))

    return Command(noun, run, [_name(noun), _dry_run()], help=f"Show one {noun}.")


def _list(resource: type[Resource], noun: str) -> click.Command:
    special = special_for(resource.spec.collection)
    extra = [param_option(param) for param in resource.spec.list_params if param.doc]

    def run(no_paginate: bool, **values: Any) -> None:
        query = {key: values.pop(key) for key in ("filter", "order_by", "page_size", "page_token")}
        query |= {option.name: values.get(option.name or "") for option in extra}
        with current().client() as client:
            parent = special.list_parent(client.account_id(), values) if values else None
            collection = client.collection(resource.spec.collection, parent=parent)
            page = collection.page(**query)
            while no_paginate and page.get("nextPageToken"):
                following = collection.page(**query | {"page_token": page["nextPageToken"]})
                following[resource.spec.plural_key] = (
                    page[resource.spec.plural_key] + following[resource.spec.plural_key]
                )
                page = following
        _show_page(resource, page)

    options = [
        click.Option(["--filter"], help='Conditions, e.g. \'state="READY" AND display_name:"chat"\'.'),
        click.Option(["--order-by"], help="Fields to order by, e.g. 'create_time desc'."),
        click.Option(["--page-size"], type=int, help="Rows per page, at most 200."),
        click.Option(["--page-token"], help="Where to go on: the token that the page before ended with."),
        click.Option(["--no-paginate"], is_flag=True, help="Show every page."),
    ]
    return Command(noun, run, [*options, *extra, *special.list_params()], help=f"List each {noun}.")


def _create(resource: type[Resource], noun: str) -> click.Command:
    if resource.spec.collection == "models":
        return create_model(resource)
    special, form = special_for(resource.spec.collection), resource.spec.create
    flags = field_flags(resource, create=True)
    position = next((f for f in flags if _is_main_reference(resource, f.path)), None)
    options: list[click.Parameter] = [flag.option for flag in flags if flag is not position]
    if position is not None:
        options.insert(0, click.Argument([position.key], metavar=position.key.upper()))
    options += [param_option(param) for param in form.params if param.doc and param.name != "dryRun"]
    options += [*_id_parameter(resource), *special.create_params(), _dry_run()]
    if special.waits:
        options.append(_wait())

    def run(dry_run: bool, wait: bool = False, new_id: str | None = None, **values: Any) -> None:
        body = body_of(flags, values)
        special.change_body(body, values, {})
        params = {param.name: values.get(param.name) for param in form.params}
        with current().client() as client:
            collection = client.collection(resource.spec.collection)
            if dry_run:
                path, query, sent = collection.create_request(body, id=new_id or "", **params)
                return print_json({"method": "POST", "path": path, "query": query, "body": sent})
            document = collection.create(body, id=new_id or "", **params)
            special.after_create(client, document, values)
            _finish(resource, collection, document, wait)

    return Command(noun, run, options, help=f"Create a {noun}.")


def _update(resource: type[Resource], noun: str) -> click.Command:
    special = special_for(resource.spec.collection)
    flags = field_flags(resource, create=False)

    def run(name: str, dry_run: bool, **values: Any) -> None:
        body = body_of(flags, values)
        with current().client() as client:
            collection = client.collection(resource.spec.collection)
            existing = collection.get(name) if special.needs_current(values) else {}
            special.change_body(body, values, existing)
            if not body:
                raise click.UsageError("nothing to change: give at least one flag")
            if dry_run:
                path, query, sent = collection.update_request(name, body)
                return print_json({"method": "PATCH", "path": path, "query": query, "body": sent})
            _show(resource, collection.update(name, body))

    options = [_name(noun), *(flag.option for flag in flags), *special.update_params(), _dry_run()]
    return Command(noun, run, options, help=f"Change a {noun}; what is not named stays as it is.")


def _delete(resource: type[Resource], noun: str) -> click.Command:
    extra = [param_option(param) for param in resource.spec.delete_params if param.doc]

    def run(name: str, dry_run: bool, **values: Any) -> None:
        with current().client() as client:
            collection = client.collection(resource.spec.collection)
            if dry_run:
                method, path, query, sent = collection.delete_request(name, **values)
                return print_json({"method": method, "path": path, "query": query, "body": sent})
            collection.delete(name, **values)
        if current().json:
            return print_json({})
        click.echo(f"Deleted {noun} {name}", err=True)

    return Command(noun, run, [_name(noun), *extra, _dry_run()], help=f"Delete a {noun}.")


def _custom(resource: type[Resource], noun: str, verb: CustomVerb) -> click.Command:
    fields = verb.request.fields().values() if verb.request is not None else ()
    options: list[click.Parameter] = [_name(noun)]
    options += [param_option(param) for param in verb.params]
    options += [
        click.Option([f"--{spec.name.replace('_', '-')}"], type=int if isinstance(spec.default, int) else str)
        for spec in fields
    ]
    if verb.returns_resource:
        options.append(_wait())

    def run(name: str, dry_run: bool, wait: bool = False, **values: Any) -> None:
        arguments = {key: value for key, value in values.items() if value is not None}
        with current().client() as client:
            collection = client.collection(resource.spec.collection)
            if dry_run:
                method, path, query, body = collection.verb_request(verb.name, name, **arguments)
                return print_json({"method": method, "path": path, "query": query, "body": body})
            answer = collection.call(verb.name, name, **arguments)
            if verb.returns_resource:
                _finish(resource, collection, answer, wait)
            elif answer or current().json:
                print_json(answer)

    return Command(noun, run, [*options, _dry_run()], help=verb.doc)


def _finish(resource: type[Resource], collection: Any, document: dict[str, Any], wait: bool) -> None:
    """Show a new resource, once it is ready when asked to wait."""
    if wait:
        if not current().json:
            click.echo(f"Created {document['name']}", err=True)
        with waiting(document["name"]) as progress:
            document = collection.wait(document["name"], progress=progress)
    _show(resource, document)


def _show(resource: type[Resource], document: dict[str, Any]) -> None:
    if current().json:
        print_json(document)
    else:
        print_document(resource, document)


def _show_page(resource: type[Resource], page: dict[str, Any]) -> None:
    if current().json:
        return print_json(page)
    documents = page[resource.spec.plural_key]
    if not documents:
        click.echo(f"No {resource.spec.nouns[0]} found", err=True)
        return
    print_table(resource, documents)
    if token := page.get("nextPageToken"):
        click.echo(f"\n{page['totalSize']} in all; the next page: --page-token {token}", err=True)


# --- parameters ------------------------------------------------------------------------------------


def _name(noun: str) -> click.Argument:
    return click.Argument(["name"], metavar=noun.replace("-", "_").upper())


def _dry_run() -> click.Option:
    return click.Option(DRY_RUN, is_flag=True, help="Print the request instead of sending it.")


def _wait() -> click.Option:
    return click.Option(["--wait"], is_flag=True, help="Wait until it is ready; fail when it fails.")


def _id_parameter(resource: type[Resource]) -> list[click.Parameter]:
    form = resource.spec.create
    if isinstance(form, Wrapped) and form.id_key:
        return [click.Argument(["new_id"], metavar=_kebab(form.id_key).replace("-", "_").upper())]
    if isinstance(form, Bare) and form.id_query:
        return [
            click.Option(
                [f"--{_kebab(form.id_query)}", "new_id"], help="Its id (default: made by the server)."
            )
        ]
    return []


def _is_main_reference(resource: type[Resource], path: tuple[str, ...]) -> bool:
    """Whether a field is what the resource is about: the one reference that must be given is positional."""
    spec = resource.field(path[0]) if len(path) == 1 else None
    return spec is not None and spec.required and spec.ref is not None


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


def _offers(verb: Verb) -> Callable[[type[Resource]], bool]:
    return lambda resource: resource.spec.offers(verb)


def _deletes(resource: type[Resource]) -> bool:
    return resource.spec.offers(Verb.DELETE) or any(verb.name == "delete" for verb in resource.spec.custom)


get = NounGroup("get", _get, _offers(Verb.GET), "Show one resource.")
list_ = NounGroup("list", _list, _offers(Verb.LIST), "List resources.")
create = NounGroup("create", _create, _offers(Verb.CREATE), "Create a resource.")
update = NounGroup("update", _update, _offers(Verb.UPDATE), "Change a resource.")
delete = NounGroup("delete", _delete, _deletes, "Delete a resource.")
