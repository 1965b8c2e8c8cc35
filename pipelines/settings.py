"""Every setting checked before anything runs: each block by its own stage, each plug-in's options by the plug-in."""

from typing import Annotated, Any

from pydantic import Field

from components.core import plugins
from components.core.config import Config, PluginChoice, StageParams, block, did_you_mean, parse, read_params
from components.core.dag import check_named, stage_names
from components.core.environment import prepare
from components.core.errors import WinnowError
from components.core.plugins import CHOICES
from components.core.stage_settings import stage_settings, top_settings
from pipelines.ending import end_with
from pipelines.settings_together import check_together

RUN = "run"  # the block of params.yaml that no stage reads


class RunSettings(Config):
    """The `run` block: how the flow drives the stages; nothing of what they compute depends on it.

    retries: of a stage that infrastructure failed, the first after `retry_seconds`, each later one after twice as long;
    timeout_minutes: after which a stage is stopped, `timeouts` says so for single stages; review_minutes: how long the
    flow run waits on its page for a person's answer about the gate's candidate, 0: not at all.
    """

    retries: int = Field(default=2, ge=0)
    retry_seconds: float = Field(default=10, ge=0)
    timeout_minutes: float = Field(default=720, gt=0)
    review_minutes: float = Field(default=0, ge=0)
    timeouts: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)

    def unused(self) -> dict[str, str]:
        """As the base says."""
        return {} if self.retries else {"retry_seconds": "run.retries is 0, so nothing is tried again"}


def check_settings() -> None:
    """Parse all of params.yaml. Raises WinnowError for the first setting that cannot be."""
    params = read_params()
    stages = stage_names()
    for name in params:
        if name not in (known := [*stages, *StageParams.model_fields, RUN]):
            raise WinnowError(f"unknown setting {name} in params.yaml: {did_you_mean(str(name), known)}")
    top_settings(params)
    for name in stages:
        stage_settings(name, params)
        _check_plugins(name, block(params, name))
    check_named(params)
    run_settings()
    check_together(params)


def run_settings() -> RunSettings:
    """The `run` block. Raises WinnowError for a setting that cannot be, or a time-out of an unknown stage."""
    settings = parse(RunSettings, block(read_params(), RUN), where=RUN)
    stages = stage_names()
    for name in settings.timeouts:
        if name not in stages:
            raise WinnowError(f"unknown stage {RUN}.timeouts.{name} in params.yaml: {did_you_mean(name, stages)}")
    gate = block(read_params(), "register").get("gate")
    if settings.review_minutes and not (isinstance(gate, dict) and gate.get("approval") == "person"):
        raise WinnowError(
            f"{RUN}.review_minutes is {settings.review_minutes:g}, and nobody is asked: set register.gate.approval: "
            "person in params.yaml, or take it out."
        )
    return settings


def model_name() -> str:
    """Name of the registered model."""
    return str(block(read_params(), "register").get("name") or "winnow")


def _check_plugins(stage: str, own: dict[str, Any]) -> None:
    for (owner, setting), family in CHOICES.items():
        if owner == stage and setting in own:
            choice, where = PluginChoice.model_validate(own[setting]), f"{stage}.{setting}"
            parse(plugins.load(family, choice.name, where=where).Config, choice.options, where=where)


if __name__ == "__main__":  # in a process of its own: it loads what every stage loads

    def check() -> None:
        prepare()
        check_settings()

    end_with(check, name="settings")
