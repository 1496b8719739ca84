"""Deployed models: a model on a deployment; for adapters, creating one loads it and deleting unloads it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sparrel.kernel.fields import IMMUTABLE, INDEXED, OUTPUT_ONLY, REQUIRED, Kind, Ref, Status, Str, Timestamp
from sparrel.kernel.resource import Bare, Column, IdRule, IdStyle, Param, Resource, ResourceSpec
from sparrel.resources.common import DeployedModelState


class DeployedModel(Resource):
    """A model as one deployment serves it."""

    spec: ClassVar[ResourceSpec] = ResourceSpec(
        collection="deployedModels",
        singular="deployedModel",
        create=Bare(
            params=(
                Param(
                    name="replaceMergedAddon",
                    kind=Kind.BOOL,
                    doc="Replace an adapter that is merged into the deployment.",
                ),
            )
        ),
        id_rule=IdRule(style=IdStyle.DERIVED),
        public_read=True,
        nouns=("deployed-model", "deployed-models", "lora", "loras"),
        columns=(
            Column(title="Name", path="name"),
            Column(title="Model", path="model"),
            Column(title="Deployment", path="deployment"),
            Column(title="Default", path="default"),
            Column(title="State", path="state"),
            Column(title="Public", path="public"),
        ),
    )

    name: Annotated[Str, OUTPUT_ONLY] = ""
    """The resource name, `accounts/my-account/deployedModels/my-model-3c7a68b0`."""
    display_name: Annotated[Str, Field(max_length=63)] = ""
    """Name for people."""
    description: Annotated[Str, Field(max_length=999)] = ""
    """What it is for."""
    create_time: Annotated[Timestamp, OUTPUT_ONLY] = None
    created_by: Annotated[Str, OUTPUT_ONLY] = ""
    """E-mail address of who created it."""
    model: Annotated[Str, REQUIRED, IMMUTABLE, Ref("models"), INDEXED] = ""
    """The model that is deployed."""
    deployment: Annotated[Str, IMMUTABLE, Ref("deployments"), INDEXED] = ""
    """Where it is deployed; empty asks for the platform's own deployment of the base model."""
    default: bool = False
    """Whether a request for the model that names no deployment comes here."""
    state: Annotated[DeployedModelState, OUTPUT_ONLY] = DeployedModelState.STATE_UNSPECIFIED
    serverless: Annotated[bool, OUTPUT_ONLY] = False
    """Whether the deployment is the platform's own."""
    status: Annotated[Status, OUTPUT_ONLY] = Status()
    public: Annotated[bool, INDEXED] = False
    """Whether every account may use it."""
    update_time: Annotated[Timestamp, OUTPUT_ONLY] = None
