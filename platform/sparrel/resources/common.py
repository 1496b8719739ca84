"""Enums and messages that several resources share."""

from __future__ import annotations

from sparrel.kernel.fields import Int32, Message, OpenEnum, WireEnum

Region = OpenEnum
"""`US_IOWA_1` and the like; a self-hosted platform names its own."""


class AccountState(WireEnum):
    """Life of an account or a user."""

    STATE_UNSPECIFIED = "STATE_UNSPECIFIED"
    CREATING = "CREATING"
    READY = "READY"
    UPDATING = "UPDATING"
    DELETING = "DELETING"


class AcceleratorType(WireEnum):
    """Hardware that a replica runs on; unset is the machine's CPU."""

    ACCELERATOR_TYPE_UNSPECIFIED = "ACCELERATOR_TYPE_UNSPECIFIED"
    NVIDIA_A100_80GB = "NVIDIA_A100_80GB"
    NVIDIA_H100_80GB = "NVIDIA_H100_80GB"
    AMD_MI300X_192GB = "AMD_MI300X_192GB"
    NVIDIA_A10G_24GB = "NVIDIA_A10G_24GB"
    NVIDIA_A100_40GB = "NVIDIA_A100_40GB"
    NVIDIA_L4_24GB = "NVIDIA_L4_24GB"
    NVIDIA_H200_141GB = "NVIDIA_H200_141GB"
    NVIDIA_B200_180GB = "NVIDIA_B200_180GB"
    AMD_MI325X_256GB = "AMD_MI325X_256GB"
    AMD_MI350X_288GB = "AMD_MI350X_288GB"


class Precision(WireEnum):
    """Number format that weights are served in."""

    PRECISION_UNSPECIFIED = "PRECISION_UNSPECIFIED"
    FP16 = "FP16"
    FP8 = "FP8"
    FP8_MM = "FP8_MM"
    FP8_AR = "FP8_AR"
    FP8_MM_KV_ATTN = "FP8_MM_KV_ATTN"
    FP8_KV = "FP8_KV"
    FP8_MM_V2 = "FP8_MM_V2"
    FP8_V2 = "FP8_V2"
    FP8_MM_KV_ATTN_V2 = "FP8_MM_KV_ATTN_V2"
    NF4 = "NF4"
    FP4 = "FP4"
    BF16 = "BF16"
    FP4_BLOCKSCALED_MM = "FP4_BLOCKSCALED_MM"
    FP4_MX_MOE = "FP4_MX_MOE"


class MultiRegion(WireEnum):
    """A group of regions."""

    MULTI_REGION_UNSPECIFIED = "MULTI_REGION_UNSPECIFIED"
    GLOBAL = "GLOBAL"
    US = "US"
    EUROPE = "EUROPE"
    APAC = "APAC"


class DeployedModelState(WireEnum):
    """Life of a model on a deployment; unspecified with a status that is not OK: loading failed."""

    STATE_UNSPECIFIED = "STATE_UNSPECIFIED"
    UNDEPLOYING = "UNDEPLOYING"
    DEPLOYING = "DEPLOYING"
    DEPLOYED = "DEPLOYED"
    UPDATING = "UPDATING"


class Date(Message):
    """A calendar day; zero parts are unknown."""

    year: Int32 = 0
    month: Int32 = 0
    day: Int32 = 0
