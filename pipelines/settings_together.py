"""What no block of params.yaml can check alone: queries, encoder, workers, views and rules that fit the others."""

from typing import Any

import numpy as np

from components.core import plugins
from components.core.config import PluginChoice, block, did_you_mean
from components.core.errors import WinnowError
from components.core.plugins import CHOICES
from components.core.stage_settings import stage_settings
from components.core.unused import refuse_unused
from components.datasets.rules import read_rules
from components.datasets.sources import source_class
from components.modalities import Modality, build_modality
from components.modalities.views import parse_policies
from pipelines.inline import RULES


def check_together(params: dict[str, Any]) -> None:
    """Raise WinnowError for queries without what they need, plug-ins that are for another kind of data, more workers
    than this machine has, views that no method asks for, rules that cannot be searched by in this data, and
    settings that those of other blocks leave without use.
    """
    from components.stages import label, pretrain, select
    from components.training.distributed import check_processors

    label.first_strategy(stage_settings("label", params).first)
    strategy = stage_settings("select", params).strategy
    select.build_strategy(strategy, trained_dropout(params), where="select.strategy")
    data, training = stage_settings("ingest", params), stage_settings("pretrain", params)
    modality = build_modality(data.modality)
    _check_fits(params, modality)
    policies = stage_settings("augment", params).policies
    _check_views(policies)
    parse_policies(modality, policies, where="augment.policies")
    pretrain.check_start(training, pretrain.given_input(training, modality))
    check_processors(training.workers, training.ray_address)
    _check_rules(modality, stage_settings("label", params).rule_seconds)
    refuse_unused(_unused_beside_other_blocks(params, modality))


def _check_rules(modality: Modality, seconds: int) -> None:
    """As far as no text is needed for it; a table that is missing the stage tells of."""
    if not RULES.is_file() or not (rules := read_rules(RULES)):
        return
    from components.judging.rule_votes import search_by_rules

    search_by_rules(rules, RULES, modality, np.empty((0, 0), np.uint8), np.empty(0, np.int64), seconds)


def trained_dropout(params: dict[str, Any]) -> float:
    """How much dropout the settings' classifier is trained with."""
    return float(PluginChoice.model_validate(params["finetune"]["method"]).options.get("dropout", 0.0))


def _check_fits(params: dict[str, Any], modality: Modality) -> None:
    """Every plug-in is for the kind of data there is."""
    source = stage_settings("ingest", params).source
    plugin = source_class(source).__module__.rpartition(".")[2]
    plugins.check_fits("source", plugin, modality.gives, where="ingest.source")
    for (owner, setting), family in CHOICES.items():
        if setting in block(params, owner) and family != "modality":
            choice = PluginChoice.model_validate(params[owner][setting])
            plugins.check_fits(family, choice.name, modality.gives, where=f"{owner}.{setting}")


def _check_views(policies: dict[str, Any]) -> None:
    """Every policy is one that some method may ask for: what it is called is what the methods call it."""
    from components.methods.contracts import TrainableMethod

    every = [plugins.load(family, name) for family, name in plugins.every()]
    methods = [plugin for plugin in every if isinstance(plugin, type) and issubclass(plugin, TrainableMethod)]
    known = sorted({view for method in methods for view in method.views})
    for name in policies:
        if name not in known:
            raise WinnowError(f"no method asks for the view augment.policies.{name}: {did_you_mean(name, known)}")


def _unused_beside_other_blocks(params: dict[str, Any], modality: Modality) -> dict[str, str]:
    def stated(block: str, setting: str) -> bool:
        return bool((params.get(block) or {}).get(setting))

    found: dict[str, str] = {}
    if not stage_settings("label", params).folds:
        names = [("pseudo_label", "foreign"), ("pseudo_label", "humble"), ("finetune", "guard_epochs")]
        why = "label.folds is 0, so that no label is held out"
        found |= {f"{block}.{setting}": why for block, setting in names if stated(block, setting)}
        if stage_settings("finetune", params).second_control == "on":
            found["finetune.second_control"] = why
    data = stage_settings("ingest", params)
    if data.near_duplicates == "off" and stated("pseudo_label", "max_per_group"):
        found["pseudo_label.max_per_group"] = "ingest.near_duplicates is off, so that no samples are a group"
    if stage_settings("finetune", params).sets is None and stated("select", "abstentions_first"):
        found["select.abstentions_first"] = "no model abstains where finetune.sets is empty"
    if stated("finetune", "guard_third") and type(modality).simple_features is Modality.simple_features:
        why = f"{modality.noun[1]} have no simple features whose neighbors could be a third opinion"
        found["finetune.guard_third"] = why
    if not source_class(data.source).files:
        stated_too = [name for name in modality.for_files if name in data.modality.options]
        found |= {f"ingest.modality.{name}": f"ingest.source is '{data.source}'" for name in stated_too}
    return found
