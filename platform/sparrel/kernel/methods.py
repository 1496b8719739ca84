"""The standard methods, once for every resource: authorise, parse, let the rules decide, store, answer."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from sparrel.errors import Aborted, InvalidArgument, PermissionDenied
from sparrel.kernel import masks, names, pagination, wire
from sparrel.kernel.context import Context, not_found
from sparrel.kernel.fields import FieldSpec, Kind, format_timestamp
from sparrel.kernel.filtering import parse
from sparrel.kernel.ordering import parse_order
from sparrel.kernel.resource import Resource, Wrapped, fields_by_any_name, find_field
from sparrel.kernel.rows import Query, Row, Transaction
from sparrel.kernel.rules import rules_of

ATTEMPTS = 5
"""Times a write is tried when it meets another; each reads the newest state first."""

Answer = Mapping[str, Any]
T = TypeVar("T")

# --- who may ---------------------------------------------------------------------------------------


def readable(ctx: Context, row: Row) -> bool:
    if row.account == ctx.principal.account:
        return True
    return ctx.resource.spec.public_read and bool(row.document.get("public"))


def check_writer(ctx: Context) -> None:
    """Raise PermissionDenied unless the caller may change resources of the account in the path."""
    spec = ctx.resource.spec
    if ctx.account != ctx.principal.account:
        raise PermissionDenied(f'your API key may not change resources of account "{ctx.account}"')
    if spec.writer_role == "admin" and not ctx.principal.is_admin:
        raise PermissionDenied(f"only an administrator may change {spec.collection}")
    if ctx.principal.role == "inference-user":
        raise PermissionDenied("your role allows inference only")


async def load(ctx: Context, tx: Transaction | None = None, *, lock: bool = False) -> Row:
    """Return the row in the path; NotFound for another account's, as if it did not exist."""
    row = await (tx.get(ctx.name, lock=lock) if tx is not None else ctx.store.get(ctx.name))
    if row is None or row.collection != ctx.resource.spec.collection or not readable(ctx, row):
        raise not_found(ctx.resource, ctx.name)
    return row


# --- reading ---------------------------------------------------------------------------------------


async def get(ctx: Context) -> Answer:
    row = await load(ctx)
    return await present(ctx, row)


async def present(ctx: Context, row: Row) -> Answer:
    """Return a row as an answer: completed, computed fields filled, masked."""
    document = wire.complete(ctx.resource, row.document)
    rules = rules_of(ctx.resource)
    if rules.presents:
        await rules.present(ctx, [document], single=True)
    document |= ctx.shown
    mask = ctx.params.text("readMask")
    return (
        masks.mask_document(ctx.resource, document, masks.read_mask(ctx.resource, mask)) if mask else document
    )


async def list_rows(ctx: Context) -> Answer:
    spec, params = ctx.resource.spec, ctx.params
    rules = rules_of(ctx.resource)
    await rules.locate(ctx)
    read_mask = masks.read_mask(ctx.resource, params.text("readMask"))
    bound = _bound_parameters(ctx)
    account, parent = await rules.list_scope(ctx)
    query = Query(
        collection=spec.collection,
        account=account,
        parent=parent,
        filter=parse(ctx.resource, _filter_text(ctx)),
        order=parse_order(ctx.resource, params.text("orderBy")),
        page_size=bound["pageSize"],
        cursor=pagination.decode_token(params.text("pageToken"), pagination.fingerprint(bound)),
        show_deleted=params.flag("showDeleted") and spec.soft_delete,
    )
    if query.cursor is not None and len(query.cursor) != len(query.order) + 1:
        raise InvalidArgument("pageToken is not one that this service gave out", param="pageToken")
    page = await ctx.store.list(query)
    documents = [wire.complete(ctx.resource, row.document) for row in page.rows]
    if rules.presents:
        await rules.present(ctx, documents, single=False)
    return {
        spec.plural_key: [masks.mask_document(ctx.resource, document, read_mask) for document in documents],
        "nextPageToken": pagination.encode_token(page.next_cursor, pagination.fingerprint(bound)),
        "totalSize": page.total,
    }


def _filter_text(ctx: Context) -> str:
    """Return the caller's filter; of another account's collection only what is public can be listed."""
    text = ctx.params.text("filter")
    if ctx.account == ctx.principal.account:
        return text
    if not ctx.resource.spec.public_read:
        raise PermissionDenied(f'your API key may not list resources of account "{ctx.account}"')
    parse(ctx.resource, text)
    return f"({text}) AND public=true" if text.strip() else "public=true"


def _bound_parameters(ctx: Context) -> dict[str, Any]:
    """Return every parameter that the next page must repeat."""
    spec, params = ctx.resource.spec, ctx.params
    extra = {param.name: params.text(param.name) for param in spec.list_params}
    return {
        "collection": spec.collection,
        "parent": ctx.parent,
        "pageSize": pagination.page_size(params.number("pageSize"), spec.page_size, spec.max_page_size),
        "filter": params.text("filter"),
        "orderBy": params.text("orderBy"),
        "readMask": params.text("readMask"),
        **extra,
    }


# --- writing ---------------------------------------------------------------------------------------


async def transact(ctx: Context, work: Callable[[Transaction], Awaitable[T]]) -> T:
    """Run `work` in a transaction, again from the start when another writer was faster."""
    for _ in range(ATTEMPTS - 1):
        try:
            async with ctx.store.transaction() as tx:
                return await work(tx)
        except Aborted:
            continue
    async with ctx.store.transaction() as tx:
        return await work(tx)


async def create(ctx: Context) -> Answer:
    check_writer(ctx)
    await rules_of(ctx.resource).locate(ctx)
    body, chosen_id = _create_parts(ctx)
    sent = wire.read(ctx.resource, body, what=ctx.resource.spec.singular).to_document()
    ctx.given = frozenset(
        key for key, value in wire.known_keys(ctx.resource, body).items() if value is not None
    )
    secrets = wire.drop_server_fields(ctx.resource, sent)
    ctx.secrets = {key: value for key, value in secrets.items() if key in ctx.given}
    validate_only = ctx.params.flag("validateOnly") or ctx.params.flag("dryRun")

    async def work(tx: Transaction) -> Row:
        row = await _draft(ctx, tx, copy.deepcopy(sent), chosen_id)
        if validate_only:
            return _shown(row)
        row = await tx.insert(row)
        await rules_of(ctx.resource).after_create(ctx, tx, row)
        await tx.append_event(ctx.event("Create", row.name, _payload(ctx.resource, row.document, ctx.given)))
        return row

    return await present(ctx, await transact(ctx, work))


async def _draft(ctx: Context, tx: Transaction, document: dict[str, Any], chosen_id: str | None) -> Row:
    """Return the row that a create request asks for, complete and checked."""
    spec, rules = ctx.resource.spec, rules_of(ctx.resource)
    await rules.prepare(ctx, tx, document)
    wire.complete_references(ctx.resource, document, ctx.account)
    if missing := wire.missing_fields(ctx.resource, document):
        raise InvalidArgument(f"missing required field: {', '.join(missing)}", param=missing[0])
    resource_id = await rules.new_id(ctx, tx, document) if chosen_id is None else chosen_id
    now = ctx.now()
    if "createdBy" in document:
        document["createdBy"] = ctx.principal.email
    row = Row(
        name=names.join(ctx.parent, spec.collection, resource_id),
        account=ctx.account,
        collection=spec.collection,
        id=resource_id,
        parent=ctx.parent,
        create_time=now,
        update_time=now,
        document=document,
    )
    if spec.id_field in document and spec.id_field != "name":
        document[spec.id_field] = resource_id
    await rules.validate_create(ctx, tx, row)
    return row


def _shown(row: Row) -> Row:
    """Fill the document of a row that will not be stored."""
    row.document |= {"name": row.name, "createTime": format_timestamp(row.create_time)}
    return row


def _create_parts(ctx: Context) -> tuple[Mapping[str, Any], str | None]:
    """Return the resource in a create body, and the id that the caller chose."""
    spec = ctx.resource.spec
    form = spec.create
    if not isinstance(form, Wrapped):
        chosen: Any = ctx.params.text(form.id_query) if form.id_query else ""
        return ctx.body, _checked_id(ctx, chosen) if chosen else None
    inner = _either_case(ctx.body, spec.singular)
    if inner is None and not form.optional:
        raise InvalidArgument(f"missing required field: {spec.singular}", param=spec.singular)
    chosen = _either_case(ctx.body, form.id_key) if form.id_key else ""
    if not isinstance(chosen, str | None):
        raise InvalidArgument(f"{form.id_key} must be a string", param=form.id_key)
    if not chosen and form.id_key and spec.id_rule.style == "none":
        raise InvalidArgument("invalid id: id must be at least 1 character long", param=form.id_key)
    inner = {} if inner is None else inner
    if not isinstance(inner, Mapping):
        raise InvalidArgument(f"{spec.singular} must be a JSON object", param=spec.singular)
    return inner, _checked_id(ctx, chosen) if chosen else None


def _either_case(body: Mapping[str, Any], key: str) -> Any:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
    return body.get(key, body.get(snake))


def _checked_id(ctx: Context, chosen: str) -> str:
    names.check_id(chosen, ctx.resource.spec.id_rule)
    return chosen


async def update(ctx: Context) -> Answer:
    sent = wire.read(ctx.resource, ctx.body, what=ctx.resource.spec.singular).to_document()
    paths = masks.update_mask(ctx.resource, ctx.params.text("updateMask"), ctx.body)
    ctx.given = frozenset(path[0] for path in paths)
    paths = tuple(path for path in paths if not _served(ctx.resource, path))
    secrets = wire.drop_server_fields(ctx.resource, sent)
    ctx.secrets = {key: value for key, value in secrets.items() if key in ctx.given}

    async def work(tx: Transaction) -> Row:
        old = await load(ctx, tx, lock=True)
        check_writer(ctx)
        new = _changed(ctx, old, copy.deepcopy(sent), paths)
        rules = rules_of(ctx.resource)
        await rules.validate_update(ctx, tx, old, new, paths)
        stored = await tx.replace(new, expected_version=old.version)
        await rules.after_update(ctx, tx, old, stored)
        changed = _payload(ctx.resource, stored.document, ctx.given)
        await tx.append_event(ctx.event("Update", stored.name, changed))
        return stored

    return await present(ctx, await transact(ctx, work))


def _served(resource: type[Resource], path: masks.Path) -> bool:
    return any(spec.output_only or spec.input_only for spec in find_field(resource, path))


def _changed(ctx: Context, old: Row, sent: dict[str, Any], paths: tuple[masks.Path, ...]) -> Row:
    """Return the row with a PATCH applied; refuse a change of what is fixed or required."""
    stored = wire.complete(ctx.resource, old.document)
    for spec in ctx.resource.fields().values():
        _keep_same_reference(ctx, spec, stored, sent)
    wire.complete_references(ctx.resource, sent, ctx.account)
    document = masks.apply_update(ctx.resource, stored, sent, paths)
    for path in paths:
        fixed = any(spec.immutable for spec in find_field(ctx.resource, path))
        if fixed and wire.get_path(document, path) != wire.get_path(stored, path):
            raise InvalidArgument(f"{'.'.join(path)} cannot be changed", param=".".join(path))
    missing = [
        path for path in wire.missing_fields(ctx.resource, document) if path.split(".")[0] in ctx.given
    ]
    if missing:
        raise InvalidArgument(f"required field cannot be cleared: {', '.join(missing)}", param=missing[0])
    new = copy.copy(old)
    new.document, new.internal = document, copy.deepcopy(old.internal)
    return new


def _keep_same_reference(
    ctx: Context, spec: FieldSpec, stored: Mapping[str, Any], sent: dict[str, Any]
) -> None:
    """Let a bare id stand for the fixed reference that is already stored."""
    value = sent[spec.wire]
    fixed = spec.ref if spec.immutable and isinstance(value, str) and value else None
    if fixed and names.same_resource(value, stored[spec.wire], fixed, ctx.account):
        sent[spec.wire] = stored[spec.wire]


async def delete(ctx: Context) -> Answer:
    async def work(tx: Transaction) -> Row:
        row = await load(ctx, tx, lock=True)
        check_writer(ctx)
        await rules_of(ctx.resource).delete(ctx, tx, row)
        await tx.append_event(ctx.event("Delete", row.name))
        return row

    await rules_of(ctx.resource).after_delete(ctx, await transact(ctx, work))
    return {}


def _payload(resource: type[Resource], document: Mapping[str, Any], given: frozenset[str]) -> dict[str, Any]:
    """Return what the audit log keeps of a write: names of all fields given, values of the simple ones.

    Messages, lists and maps may hold templates and other long or private text: only their names.
    """
    fields = fields_by_any_name(resource)
    compound = (Kind.MESSAGE, Kind.LIST, Kind.MAP)
    values = {
        key: document[key]
        for key in sorted(given)
        if fields[key].kind not in compound and not fields[key].input_only and not fields[key].output_only
    }
    return {"fields": sorted(given), "values": values}
