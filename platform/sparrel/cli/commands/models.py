"""Model files: `create model` uploads a folder, `download model` brings one back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sparrel.cli.command import HELP, command
from sparrel.cli.echo import print_json
from sparrel.cli.flags import body_of, field_flags
from sparrel.cli.output import print_document
from sparrel.cli.progress import transfers
from sparrel.cli.session import current
from sparrel.client.local_files import local_files
from sparrel.errors import InvalidArgument, SparrelError, Unimplemented
from sparrel.kernel.resource import Resource

QUIET = click.Option(["--quiet"], is_flag=True, help="Show no progress.")


def create_model(resource: type[Resource]) -> click.Command:
    """Return `create model`: flags from the declaration, and the upload of a local folder."""
    flags = [flag for flag in field_flags(resource, create=True) if flag.path[0] not in _FROM_FILES]

    @command(
        "model",
        click.Argument(["model_id"], metavar="MODEL_ID"),
        click.Argument(["source"], metavar="FOLDER"),
        *(flag.option for flag in flags),
        click.Option(["--base-model"], help="The files are a LoRA adapter of this model."),
        click.Option(["--aws-access-key-id"], hidden=True),
        click.Option(["--aws-secret-access-key"], hidden=True),
        QUIET,
        click.Option(["--dry-run"], is_flag=True, help="Print the request instead of sending it."),
        help="Create a model from a local Hugging Face folder: upload it, have it checked, publish it.",
    )
    def run(
        model_id: str, source: str, base_model: str | None, quiet: bool, dry_run: bool, **values: Any
    ) -> None:
        folder = _local(source)
        sizes = local_files(folder)
        body = body_of(flags, values) | _kind(folder, base_model)
        with current().client() as client:
            if dry_run:
                path, _, sent = client.models.create_request(body, id=model_id)
                return print_json({"method": "POST", "path": path, "body": sent, "files": sizes})
            name = _create_or_resume(client, model_id, body)
            with transfers(quiet=quiet or current().json) as progress:
                document = _upload(client, name, folder, progress)
        print_json(document) if current().json else print_document(resource, document)

    return run


_FROM_FILES = ("peftDetails", "baseModelDetails", "teftDetails", "conversationConfig", "kind")


def _local(source: str) -> Path:
    if "://" in source:
        raise Unimplemented(f"{source}: only a local folder can be uploaded; download it here first")
    return Path(source).expanduser()


def _kind(folder: Path, base_model: str | None) -> dict[str, Any]:
    """Return the fields that say what the weights are; an adapter's files carry its rank and modules."""
    adapter = folder / "adapter_config.json"
    if base_model is None:
        if adapter.is_file():
            raise InvalidArgument("the folder holds a LoRA adapter: say of which model with --base-model")
        return {"kind": "HF_BASE_MODEL", "baseModelDetails": {"checkpointFormat": "HUGGINGFACE"}}
    try:
        config = json.loads(adapter.read_text())
        details = {"baseModel": base_model, "r": config["r"], "targetModules": config["target_modules"]}
    except FileNotFoundError:
        raise InvalidArgument(f"adapter_config.json is missing in {str(folder)!r}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidArgument(f"adapter_config.json cannot be read: {error!r}") from None
    return {"kind": "HF_PEFT_ADDON", "peftDetails": details}


def _create_or_resume(client: Any, model_id: str, body: dict[str, Any]) -> str:
    """Create the model, or take up one whose upload did not end: running the command again is the remedy."""
    try:
        return str(client.models.create(body, id=model_id)["name"])
    except SparrelError as error:
        if error.http_status != 409:
            raise
        existing = client.models.get(model_id)
        if existing["state"] != "UPLOADING" or existing["kind"] != body["kind"]:
            raise
        click.echo(f"Resuming the upload of {existing['name']}", err=True)
        return str(existing["name"])


def _upload(client: Any, name: str, folder: Path, progress: Any) -> dict[str, Any]:
    try:
        return dict(client.upload_model(name, folder, progress=progress))
    except SparrelError:
        click.echo(f"{name} is not published: mend the cause and run the same command again", err=True)
        raise


@click.group("download", context_settings=HELP)
def download() -> None:
    """Download files."""


@command("model", click.Argument(["name"], metavar="MODEL"), click.Argument(["folder"]), QUIET)
def download_model(name: str, folder: str, quiet: bool) -> None:
    """Download a model's files into a folder; a download that broke off is continued."""
    with current().client() as client, transfers(quiet=quiet or current().json) as progress:
        paths = client.download_model(name, folder, progress=progress)
    if current().json:
        return print_json([str(path) for path in paths])
    for path in paths:
        click.echo(str(path))


download.add_command(download_model)
