"""Pictures as programs make them: what encoders of them are told, and their views."""

from collections.abc import Mapping
from typing import Any

from components.core.config import PluginChoice
from components.modalities import Input, Modality, build_modality
from components.modalities.views import Views
from components.models.encoder_file import EncoderSpec


def modality_of(channels: int = 1, size: int = 16) -> Modality:
    """Pictures of this form."""
    choice = {"name": "image", "image_size": size, "channels": channels}
    return build_modality(PluginChoice.model_validate(choice))


def given(channels: int = 1, size: int = 16) -> Input:
    """What an encoder of such pictures is told."""
    return modality_of(channels, size).input(None)


def spec_of(channels: int, image_size: int, mean: list[float], std: list[float], **facts: Any) -> EncoderSpec:
    """Of an encoder of such pictures; facts: name, options, dim."""
    modality = modality_of(channels, image_size).choice.model_dump()
    inputs = {"modality": modality, "statistics": {"mean": mean, "std": std}}
    return EncoderSpec.model_validate({**facts, "inputs": inputs})


def views_of(policies: Mapping[str, Any], mean: list[float], std: list[float], size: int = 16) -> Views:
    """By these policies."""
    return Views(modality_of(len(mean), size), {"mean": mean, "std": std}, policies)
