"""Models: weights with what is needed to serve them."""

# ruff: noqa: RUF012  (Pydantic copies a default for each instance)

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sparrel.kernel.fields import (
    COMPUTED,
    IMMUTABLE,
    INDEXED,
    OUTPUT_ONLY,
    REQUIRED,
    Float,
    Int32,
    Int64,
    Kind,
    Message,
    Ref,
    Status,
    Str,
    Timestamp,
    WireEnum,
)
from sparrel.kernel.resource import Column, CustomVerb, Param, Resource, ResourceSpec, Wrapped
from sparrel.resources.common import Date, DeployedModelState, Precision


class ModelKind(WireEnum):
    """What the weights are."""

    KIND_UNSPECIFIED = "KIND_UNSPECIFIED"
    HF_BASE_MODEL = "HF_BASE_MODEL"
    HF_PEFT_ADDON = "HF_PEFT_ADDON"
    HF_TEFT_ADDON = "HF_TEFT_ADDON"
    FLUMINA_BASE_MODEL = "FLUMINA_BASE_MODEL"
    FLUMINA_ADDON = "FLUMINA_ADDON"
    DRAFT_ADDON = "DRAFT_ADDON"
    FIRE_AGENT = "FIRE_AGENT"
    LIVE_MERGE = "LIVE_MERGE"
    CUSTOM_MODEL = "CUSTOM_MODEL"
    EMBEDDING_MODEL = "EMBEDDING_MODEL"
    SNAPSHOT_MODEL = "SNAPSHOT_MODEL"


class ModelState(WireEnum):
    """Whether the files are complete."""

    STATE_UNSPECIFIED = "STATE_UNSPECIFIED"
    UPLOADING = "UPLOADING"
    READY = "READY"

    @classmethod
    def numbers(cls) -> dict[int, str]:
        return {0: "STATE_UNSPECIFIED", 1: "UPLOADING", 6: "READY"}


class CheckpointFormat(WireEnum):
    """Layout of a base model's files."""

    CHECKPOINT_FORMAT_UNSPECIFIED = "CHECKPOINT_FORMAT_UNSPECIFIED"
    NATIVE = "NATIVE"
    HUGGINGFACE = "HUGGINGFACE"
    UNINITIALIZED = "UNINITIALIZED"


class SnapshotType(WireEnum):
    """How much of a model a snapshot holds; published clients know no unspecified value."""

    FULL_SNAPSHOT = "FULL_SNAPSHOT"
    INCREMENTAL_SNAPSHOT = "INCREMENTAL_SNAPSHOT"


class BaseModelDetails(Message):
    """What is particular to a base model."""

    world_size: Int32 = 1
    """Accelerators that one replica needs."""
    checkpoint_format: CheckpointFormat = CheckpointFormat.CHECKPOINT_FORMAT_UNSPECIFIED
    parameter_count: Int64 = 0
    moe: bool = False
    """Whether it is a mixture of experts."""
    tunable: bool = False
    """Whether it may be fine-tuned."""
    model_type: Str = ""
    """Architecture, e.g. `qwen3`."""
    supports_fireattention: bool = False
    default_precision: Precision = Precision.PRECISION_UNSPECIFIED
    supports_mtp: bool = False


class PeftDetails(Message):
    """What is particular to an adapter."""

    base_model: Annotated[Str, REQUIRED, Ref("models")] = ""
    """The base model it was trained on."""
    r: Annotated[Int32, REQUIRED] = 0
    """Rank of the update matrices, 4 to 64."""
    target_modules: Annotated[list[Str], REQUIRED] = []
    """Modules that it changes."""
    base_model_type: Annotated[Str, OUTPUT_ONLY] = ""
    merge_addon_model_name: Annotated[Str, Ref("models")] = ""


class TeftDetails(Message):
    """What is particular to a text-embedding adapter: nothing yet."""


class ConversationConfig(Message):
    """How messages become a prompt; its presence enables chat completions."""

    style: Annotated[Str, REQUIRED] = ""
    """`jinja`, or the name of a known chat format."""
    system: Str = ""
    """System prompt used when the caller gives none."""
    template: Str = ""
    """The Jinja template when the style is `jinja`."""


class DeployedModelRef(Message):
    """One place where a model is deployed."""

    name: Annotated[Str, OUTPUT_ONLY] = ""
    deployment: Annotated[Str, OUTPUT_ONLY] = ""
    state: Annotated[DeployedModelState, OUTPUT_ONLY] = DeployedModelState.STATE_UNSPECIFIED
    default: Annotated[bool, OUTPUT_ONLY] = False
    public: Annotated[bool, OUTPUT_ONLY] = False


class UploadEndpointRequest(Message):
    """The files that are going to be uploaded."""

    filename_to_size: Annotated[dict[str, Int64], REQUIRED] = {}
    """Size in bytes by path within the model's folder."""
    enable_resumable_upload: bool = False


class UploadEndpoint(Message):
    """Where to send each file."""

    filename_to_signed_urls: dict[str, Str] = {}
    """Expiring URL to PUT the file to, by its path."""
    filename_to_unsigned_uris: dict[str, Str] = {}
    """Always empty: the caller never writes to the storage itself."""


class DownloadEndpoint(Message):
    """Where to get each file."""

    filename_to_signed_urls: dict[str, Str] = {}
    """Expiring URL to GET the file from, by its path."""


class Model(Resource):
    """A base model, an adapter or another set of weights."""

    spec: ClassVar[ResourceSpec] = ResourceSpec(
        collection="models",
        singular="model",
        create=Wrapped(
            id_key="modelId",
            optional=True,
            params=(Param(name="cluster", doc="Name of the customer's own cluster the model belongs to."),),
        ),
        custom=(
            CustomVerb(
                name="getUploadEndpoint",
                request=UploadEndpointRequest,
                response=UploadEndpoint,
                doc="Announce files and get a URL to PUT each one to; called again it resumes.",
            ),
            CustomVerb(
                name="validateUpload",
                method="GET",
                doc="Check the uploaded files and publish the model.",
            ),
            CustomVerb(
                name="getDownloadEndpoint",
                method="GET",
                response=DownloadEndpoint,
                doc="Get a URL for each file of a published model.",
            ),
        ),
        list_params=(Param(name="includeDeployedModelRefs", kind=Kind.BOOL, doc="Fill deployedModelRefs."),),
        public_read=True,
        nouns=("model", "models"),
        columns=(
            Column(title="Name", path="name"),
            Column(title="Display Name", path="displayName"),
            Column(title="Kind", path="kind"),
            Column(title="State", path="state"),
            Column(title="Public", path="public"),
            Column(title="Create Time", path="createTime"),
        ),
    )

    name: Annotated[Str, OUTPUT_ONLY] = ""
    """The resource name, `accounts/my-account/models/my-model`."""
    display_name: Annotated[Str, Field(max_length=63), INDEXED] = ""
    """Name for people."""
    description: Annotated[Str, Field(max_length=999)] = ""
    """What it is for."""
    create_time: Annotated[Timestamp, OUTPUT_ONLY] = None
    created_by: Annotated[Str, OUTPUT_ONLY] = ""
    """E-mail address of who created it."""
    state: Annotated[ModelState, OUTPUT_ONLY] = ModelState.STATE_UNSPECIFIED
    status: Annotated[Status, OUTPUT_ONLY] = Status()
    kind: Annotated[ModelKind, IMMUTABLE, INDEXED] = ModelKind.KIND_UNSPECIFIED
    """What the weights are; an adapter (HF_PEFT_ADDON) when not given."""
    github_url: Str = ""
    """Its repository on GitHub."""
    hugging_face_url: Annotated[Str, INDEXED] = ""
    """Its page on Hugging Face."""
    base_model_details: Annotated[BaseModelDetails | None, IMMUTABLE] = None
    """Required for a base model, forbidden otherwise."""
    peft_details: Annotated[PeftDetails | None, IMMUTABLE] = None
    """Required for an adapter."""
    teft_details: Annotated[TeftDetails | None, IMMUTABLE] = None
    """Required for a text-embedding adapter."""
    public: Annotated[bool, INDEXED] = False
    """Whether every account may read it."""
    conversation_config: Annotated[ConversationConfig | None, IMMUTABLE] = None
    """Enables chat completions."""
    context_length: Int32 = 0
    """Longest prompt and answer together, in tokens."""
    supports_image_input: bool = False
    """Whether messages may hold images."""
    supports_tools: bool = False
    """Whether the model calls tools; its chat template usually says so."""
    supports_lora: bool = False
    """Whether adapters can be loaded on it."""
    use_hf_apply_chat_template: bool = False
    """Whether the tokenizer's own chat template is used."""
    imported_from: Annotated[Str, OUTPUT_ONLY] = ""
    """Name of the model it was copied from."""
    fine_tuning_job: Annotated[Str, OUTPUT_ONLY] = ""
    """Name of the job that made it."""
    default_draft_model: Annotated[Str, Ref("models")] = ""
    """Draft model for new deployments; empty: no speculation by default."""
    default_draft_token_count: Int32 = 0
    """Tokens drafted per step; required with a default draft model."""
    precisions: Annotated[list[Precision], OUTPUT_ONLY] = []
    """Formats it has been prepared for."""
    deployed_model_refs: Annotated[list[DeployedModelRef], COMPUTED] = []
    """Where it is deployed; filled by Get."""
    cluster: Annotated[Str, OUTPUT_ONLY] = ""
    deprecation_date: Date | None = None
    """Day on which the platform stops serving it."""
    calibrated: Annotated[bool, OUTPUT_ONLY] = False
    tunable: Annotated[bool, OUTPUT_ONLY] = False
    update_time: Annotated[Timestamp, OUTPUT_ONLY] = None
    default_sampling_params: Annotated[dict[str, Float], OUTPUT_ONLY] = {}
    """Sampling parameters used when a request gives none."""
    rl_tunable: Annotated[bool, OUTPUT_ONLY] = False
    training_context_length: Int32 = 0
    supports_serverless: Annotated[bool, OUTPUT_ONLY] = False
    snapshot_type: SnapshotType = SnapshotType.FULL_SNAPSHOT
    annotations: dict[str, Str] = {}
    """Free key-value pairs."""
