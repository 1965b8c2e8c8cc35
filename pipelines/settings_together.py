"""What no block of params.yaml can check alone: queries, encoder, workers and views that fit the other blocks."""

from typing import Any

from components.core import registry
from components.core.config import PluginChoice, nearest
from components.core.errors import WinnowError
from components.core.stage_settings import stage_settings
from components.core.unused import refuse_unused

COLORS = ("saturation", "hue", "grayscale")  # what they change gray pictures do not have


def check_together(params: dict[str, Any]) -> None:
    """Raise WinnowError for queries without what they need, an encoder that does not fit the pictures, more workers
    than this machine has, views that no method asks for, and settings that those of other blocks leave without use.
    """
    from components.stages import label, pretrain, select
    from components.training.distributed import check_processors

    label.first_strategy(stage_settings("label", params).first)
    strategy = stage_settings("select", params).strategy
    select.build_strategy(strategy, trained_dropout(params), where="select.strategy")
    pictures, training = stage_settings("ingest", params), stage_settings("pretrain", params)
    pretrain.check_start(training, pictures.channels, pictures.image_size)
    check_processors(training.workers, training.ray_address)
    _check_views(stage_settings("augment", params).policies)
    refuse_unused(_unused_beside_other_blocks(params))


def trained_dropout(params: dict[str, Any]) -> float:
    """How much dropout the settings' classifier is trained with."""
    return float(PluginChoice.model_validate(params["finetune"]["method"]).options.get("dropout", 0.0))


def _check_views(policies: dict[str, Any]) -> None:
    """Every policy is one that some method may ask for: what it is called is what the methods call it."""
    from components.methods.contracts import TrainableMethod

    plugins = [registry.load(family, name) for family, name in registry.every()]
    methods = [plugin for plugin in plugins if isinstance(plugin, type) and issubclass(plugin, TrainableMethod)]
    known = sorted({view for method in methods for view in method.views})
    for name in policies:
        if name not in known:
            raise WinnowError(f"no method asks for the view augment.policies.{name}: {nearest(name, known)}")


def _unused_beside_other_blocks(params: dict[str, Any]) -> dict[str, str]:
    def stated(block: str, setting: str) -> bool:
        return bool((params.get(block) or {}).get(setting))

    found: dict[str, str] = {}
    if not stage_settings("label", params).folds:
        names = [("pseudo_label", "foreign"), ("finetune", "guard_epochs")]
        why = "label.folds is 0, so that no label is held out"
        found |= {f"{block}.{setting}": why for block, setting in names if stated(block, setting)}
    pictures = stage_settings("ingest", params)
    if pictures.near_duplicates == "off" and stated("pseudo_label", "max_per_group"):
        found["pseudo_label.max_per_group"] = "ingest.near_duplicates is off, so that no pictures are a group"
    if stage_settings("finetune", params).sets is None and stated("select", "abstentions_first"):
        found["select.abstentions_first"] = "no model abstains where finetune.sets is empty"
    if pictures.channels == 1:
        policies = stage_settings("augment", params).policies
        colors = [f"{name}.{color}" for name in policies for color in COLORS if getattr(policies[name], color)]
        found |= {f"augment.policies.{name}": "ingest.channels is 1, which is gray" for name in colors}
    return found
