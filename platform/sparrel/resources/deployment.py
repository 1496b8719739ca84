"""Deployments: replicas of one base model, started, scaled and stopped for one account."""

# ruff: noqa: RUF012  (Pydantic copies a default for each instance)

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sparrel.kernel.fields import (
    IMMUTABLE,
    INDEXED,
    INPUT_ONLY,
    OUTPUT_ONLY,
    REQUIRED,
    Duration,
    Float,
    Int32,
    Kind,
    Message,
    Ref,
    Status,
    Str,
    Timestamp,
    WireEnum,
)
from sparrel.kernel.resource import (
    Bare,
    Column,
    CustomVerb,
    IdRule,
    IdStyle,
    Param,
    Resource,
    ResourceSpec,
)
from sparrel.resources.common import AcceleratorType, MultiRegion, Precision, Region

AUTO_DELETE_ANNOTATION = "sparrel.dev/unused-auto-delete-duration"
"""Annotation: Go duration after which an unused deployment is deleted (default `168h0m0s`; `0s`: never)."""


class DeploymentState(WireEnum):
    """Life of a deployment."""

    STATE_UNSPECIFIED = "STATE_UNSPECIFIED"
    CREATING = "CREATING"
    READY = "READY"
    DELETING = "DELETING"
    FAILED = "FAILED"
    UPDATING = "UPDATING"
    DELETED = "DELETED"


class DirectRouteType(WireEnum):
    """How a direct route is reached."""

    DIRECT_ROUTE_TYPE_UNSPECIFIED = "DIRECT_ROUTE_TYPE_UNSPECIFIED"
    INTERNET = "INTERNET"
    GCP_PRIVATE_SERVICE_CONNECT = "GCP_PRIVATE_SERVICE_CONNECT"
    AWS_PRIVATELINK = "AWS_PRIVATELINK"


class Engine(WireEnum):
    """Engine asked for; the platform has one and accepts the others' names."""

    ENGINE_UNSPECIFIED = "ENGINE_UNSPECIFIED"
    FIREATTENTION = "FIREATTENTION"
    VLLM = "VLLM"
    NIM = "NIM"


class HotLoadBucketType(WireEnum):
    """Where hot-loaded snapshots come from."""

    BUCKET_TYPE_UNSPECIFIED = "BUCKET_TYPE_UNSPECIFIED"
    MINIO = "MINIO"
    S3 = "S3"
    NEBIUS = "NEBIUS"
    FW_HOSTED = "FW_HOSTED"


class AutoscalingPolicy(Message):
    """When the number of replicas changes."""

    scale_up_window: Duration = None
    """How long load must be high before a replica is added (default 30s, at most 1h)."""
    scale_down_window: Duration = None
    """How long load must be low before one is removed (default 10m, at most 1h)."""
    scale_to_zero_window: Duration = None
    """How long without requests before the last is stopped (default 1h, at least 5m)."""
    load_targets: dict[str, Float] = {}
    """Load per replica to aim for, by metric: `default` (0.8), `tokens_generated_per_second`."""


class AutoTune(Message):
    """Performance profile."""

    long_prompt: bool = False
    """Tune for long prompts; doubles the accelerators per replica."""


class Placement(Message):
    """Where replicas may run."""

    region: Region = "REGION_UNSPECIFIED"
    multi_region: MultiRegion = MultiRegion.MULTI_REGION_UNSPECIFIED
    regions: list[Region] = []


class ReplicaStats(Message):
    """Replicas by what they are doing."""

    pending_scheduling_replica_count: Int32 = 0
    downloading_model_replica_count: Int32 = 0
    initializing_replica_count: Int32 = 0
    ready_replica_count: Int32 = 0


class ScaleDeploymentRequest(Message):
    """Number of replicas wanted now."""

    replica_count: Int32 = 0


class DeploymentMetrics(Message):
    """Measurements over a time range."""

    metrics: dict[str, Float] = {}


class Deployment(Resource):
    """Replicas that serve one base model and, when enabled, adapters of it."""

    spec: ClassVar[ResourceSpec] = ResourceSpec(
        collection="deployments",
        singular="deployment",
        create=Bare(
            id_query="deploymentId",
            params=(
                Param(name="disableAutoDeploy", kind=Kind.BOOL, doc="Do not deploy the base model on it."),
                Param(
                    name="disableSpeculativeDecoding",
                    kind=Kind.BOOL,
                    doc="Ignore the base model's default draft model.",
                ),
                Param(name="validateOnly", kind=Kind.BOOL, doc="Answer without storing anything."),
                Param(name="dryRun", kind=Kind.BOOL, doc="Another name of validateOnly."),
                Param(name="skipShapeValidation", kind=Kind.BOOL),
                Param(name="skipImageTagValidation", kind=Kind.BOOL),
            ),
        ),
        id_rule=IdRule(style=IdStyle.RANDOM),
        custom=(
            CustomVerb(
                name="scale",
                method="PATCH",
                request=ScaleDeploymentRequest,
                doc="Set the number of replicas without changing the bounds.",
            ),
            CustomVerb(
                name="undelete",
                request=Message,
                returns_resource=True,
                doc="Bring back a deleted deployment, or start a failed one again.",
            ),
            CustomVerb(
                name="metrics",
                method="GET",
                response=DeploymentMetrics,
                params=(Param(name="timeRange", kind=Kind.DURATION),),
                doc="Read what its replicas measure.",
            ),
        ),
        list_params=(
            Param(name="showDeleted", kind=Kind.BOOL, doc="Include deleted deployments."),
            Param(name="showInternal", kind=Kind.BOOL),
        ),
        update_params=(Param(name="skipShapeValidation", kind=Kind.BOOL),),
        delete_params=(
            Param(name="hard", kind=Kind.BOOL, doc="Purge at once."),
            Param(name="ignoreChecks", kind=Kind.BOOL, doc="Delete even if it is in use."),
        ),
        default_order="create_time",
        soft_delete=True,
        nouns=("deployment", "deployments"),
        columns=(
            Column(title="Name", path="name"),
            Column(title="Base Model", path="baseModel"),
            Column(title="State", path="state"),
            Column(title="Replicas", path="replicaCount"),
            Column(title="Min", path="minReplicaCount"),
            Column(title="Max", path="maxReplicaCount"),
            Column(title="Create Time", path="createTime"),
        ),
    )

    name: Annotated[Str, OUTPUT_ONLY] = ""
    """The resource name, `accounts/my-account/deployments/my-deployment`."""
    display_name: Annotated[Str, Field(max_length=63), INDEXED] = ""
    """Name for people."""
    description: Annotated[Str, Field(max_length=999)] = ""
    """What it is for."""
    create_time: Annotated[Timestamp, OUTPUT_ONLY] = None
    expire_time: Timestamp = None
    """When it is deleted by itself."""
    purge_time: Annotated[Timestamp, OUTPUT_ONLY] = None
    """When a deleted deployment is purged."""
    delete_time: Annotated[Timestamp, OUTPUT_ONLY] = None
    """When it was deleted."""
    created_by: Annotated[Str, OUTPUT_ONLY] = ""
    """E-mail address of who created it."""
    state: Annotated[DeploymentState, OUTPUT_ONLY] = DeploymentState.STATE_UNSPECIFIED
    status: Annotated[Status, OUTPUT_ONLY] = Status()
    annotations: dict[str, Str] = {}
    """Free key-value pairs."""
    min_replica_count: Int32 = 0
    """Fewest replicas; with 0 it sleeps when nobody asks."""
    max_replica_count: Int32 = 0
    """Most replicas; not given: the larger of the minimum and 1."""
    replica_count: Annotated[Int32, OUTPUT_ONLY] = 0
    """Replicas running now."""
    desired_replica_count: Annotated[Int32, OUTPUT_ONLY] = 0
    """Replicas wanted now."""
    replica_stats: Annotated[ReplicaStats | None, OUTPUT_ONLY] = None
    autoscaling_policy: AutoscalingPolicy | None = None
    base_model: Annotated[Str, REQUIRED, IMMUTABLE, Ref("models"), INDEXED] = ""
    """The model it serves."""
    accelerator_count: Int32 = 0
    """Accelerators per replica; not given: what the model needs."""
    accelerator_type: AcceleratorType = AcceleratorType.ACCELERATOR_TYPE_UNSPECIFIED
    """Hardware per replica; not given: what the cluster has."""
    precision: Precision = Precision.PRECISION_UNSPECIFIED
    """Number format of the weights as served."""
    cluster: Annotated[Str, OUTPUT_ONLY] = ""
    enable_addons: bool = False
    """Whether adapters may be loaded on it."""
    draft_token_count: Int32 = 0
    """Tokens guessed per step; 0 turns speculation off."""
    draft_model: Annotated[Str, Ref("models")] = ""
    """Model that guesses ahead; excludes n-gram speculation."""
    ngram_speculation_length: Int32 = 0
    """Length of the match for n-gram speculation; excludes a draft model."""
    num_peft_device_cached: Annotated[Int32, OUTPUT_ONLY] = 0
    deployment_template: Str = ""
    auto_tune: AutoTune | None = None
    region: Annotated[Region, IMMUTABLE] = "REGION_UNSPECIFIED"
    """Where it runs, e.g. `US_IOWA_1`; fixed once it exists."""
    placement: Annotated[Placement | None, IMMUTABLE] = None
    is_nim: bool = False
    update_time: Annotated[Timestamp, OUTPUT_ONLY] = None
    world_size: Int32 = 0
    """Processes per replica; excludes an accelerator count."""
    generator_count: Int32 = 0
    disaggregated_prefill_count: Int32 = 0
    disaggregated_prefill_world_size: Int32 = 0
    max_batch_size: Int32 = 0
    """Most sequences decoded at once; 0: the engine's default."""
    max_peft_batch_size: Int32 = 0
    """Most adapter sequences decoded at once; at most the batch size."""
    kv_cache_memory_pct: Int32 = 0
    """Share of memory for the KV cache in per cent; 0: the engine's default."""
    image_tag: Str = ""
    extra_args: list[Str] = []
    extra_values: dict[str, Str] = {}
    engine: Engine = Engine.ENGINE_UNSPECIFIED
    for_training: Annotated[bool, IMMUTABLE] = False
    disable_accounting: bool = False
    spot: bool = False
    enable_session_affinity: bool = False
    """Whether requests of one session go to one replica."""
    direct_route_type: DirectRouteType = DirectRouteType.DIRECT_ROUTE_TYPE_UNSPECIFIED
    """How it can be reached without the gateway."""
    direct_route_api_keys: Annotated[list[Str], INPUT_ONLY] = []
    """Keys accepted on the direct route; never shown."""
    direct_route_handle: Annotated[Str, OUTPUT_ONLY] = ""
    max_context_length: Int32 = 0
    disable_deployment_size_validation: bool = False
    deployment_shape: Str = ""
    active_model_version: Str = ""
    target_model_version: Str = ""
    enable_hot_load: bool = False
    hot_load_bucket_type: HotLoadBucketType = HotLoadBucketType.BUCKET_TYPE_UNSPECIFIED
    hot_load_bucket_url: Str = ""
    enable_hot_reload_latest_addon: bool = False
    enable_mtp: bool = False
    max_with_revocable_replica_count: Int32 = 0
    pricing_plan_id: Str = ""
