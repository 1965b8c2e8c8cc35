"""Every setting checked before anything runs: each block by its own stage, each plug-in's options by the plug-in."""

from importlib import import_module
from typing import Annotated, Any

from pydantic import Field

from components.core import registry
from components.core.config import Config, PluginChoice, StageParams, block, nearest, parse, read_params
from components.core.dag import TOP_LEVEL, stage_names
from components.core.environment import prepare
from components.core.errors import WinnowError
from pipelines.ending import end_with

RUN = "run"  # the block of params.yaml that no stage reads
PLUGINS = {  # setting -> family
    ("pretrain", "method"): "self_supervised",
    ("pretrain", "encoder"): "encoder",
    ("label", "aggregation"): "label_model",
    ("pseudo_label", "method"): "semi_supervised",
    ("finetune", "method"): "adaptation",
    ("select", "strategy"): "query_strategy",
}


class RunSettings(Config):
    """The `run` block: how the flow drives the stages; nothing of what they compute depends on it.

    retries: of a stage that infrastructure failed, the first after `retry_seconds`, each later one after twice as long;
    timeout_minutes: after which a stage is stopped, `timeouts` says so for single stages.
    """

    retries: int = Field(default=2, ge=0)
    retry_seconds: float = Field(default=10, ge=0)
    timeout_minutes: float = Field(default=720, gt=0)
    timeouts: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)


def check_settings() -> None:
    """Parse all of params.yaml. Raises WinnowError for the first setting that cannot be."""
    params = read_params()
    stages = stage_names()
    for name in params:
        if name not in (*stages, *TOP_LEVEL, RUN):
            known = [*stages, *TOP_LEVEL, RUN]
            raise WinnowError(f"unknown setting {name} in params.yaml: {nearest(str(name), known)}")
    top = {key: params[key] for key in TOP_LEVEL if key in params}
    parse(StageParams, top, where="")
    for name in stages:
        own = block(params, name)
        parse(import_module(f"components.stages.{name}").Params, {**own, **top}, where=name)
        _check_plugins(name, own)
    run_settings()
    _check_what_fits(params)


def run_settings() -> RunSettings:
    """The `run` block. Raises WinnowError for a setting that cannot be, or a time-out of an unknown stage."""
    settings = parse(RunSettings, block(read_params(), RUN), where=RUN)
    stages = stage_names()
    for name in settings.timeouts:
        if name not in stages:
            raise WinnowError(f"unknown stage {RUN}.timeouts.{name} in params.yaml: {nearest(name, stages)}")
    return settings


def trained_dropout(params: dict[str, Any]) -> float:
    """How much dropout the settings' classifier is trained with."""
    return float(PluginChoice.model_validate(params["finetune"]["method"]).options.get("dropout", 0.0))


def model_name() -> str:
    """Name of the registered model."""
    return str(block(read_params(), "register").get("name") or "winnow")


def _check_plugins(stage: str, own: dict[str, Any]) -> None:
    for (owner, setting), family in PLUGINS.items():
        if owner == stage and setting in own:
            choice = PluginChoice.model_validate(own[setting])
            parse(
                registry.load(family, choice.name, where=f"{stage}.{setting}").Config,
                choice.options,
                where=f"{stage}.{setting}",
            )


def _check_what_fits(params: dict[str, Any]) -> None:
    """What no block can check alone: both queries against what they need, the encoder against the pictures' size,
    the workers against this machine."""
    from components.stages import ingest, label, pretrain, select
    from components.training.distributed import check_processors

    label.check_first(parse(label.Params, block(params, "label"), where="label").first)
    strategy = PluginChoice.model_validate(params["select"]["strategy"])
    select.build_strategy(strategy, trained_dropout(params), where="select.strategy")
    pictures = parse(ingest.Params, block(params, "ingest"), where="ingest")
    training = parse(pretrain.Params, params["pretrain"], where="pretrain")
    pretrain.check_start(training, pictures.channels, pictures.image_size)
    check_processors(training.workers, training.ray_address)


if __name__ == "__main__":  # in a process of its own: it loads what every stage loads

    def check() -> None:
        prepare()
        check_settings()

    end_with(check, name="settings")
