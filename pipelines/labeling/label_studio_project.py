"""This project's counterpart in Label Studio: found by a word in its title, made where there is none."""

import secrets
from pathlib import Path
from typing import Any

from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.terminal import short
from components.pages.tasks import CHOICE
from pipelines.labeling.label_studio import LabelStudio

KEPT = Path(".winnow/label_studio_project")
_TITLE = 30  # letters of this folder's name in a title, of which the tool takes 50


def find_project(server: LabelStudio, number: int | None) -> dict[str, Any] | None:
    """The project of that number, or without one this folder's; None where nothing was pushed from here yet.

    Raises WinnowError for a number that the token's owner sees no project of.
    """
    if number is not None:
        found = server.get(f"/api/projects/{number}/")
        if not isinstance(found, dict):
            raise WinnowError(f"Label Studio has no project {number} that the token's owner may see: look at its page.")
        return found
    found = server.projects(_title()) if KEPT.is_file() else []
    return server.get(f"/api/projects/{found[0]['id']}/") if found else None


def make_project(server: LabelStudio, configuration: str, people: int | None) -> dict[str, Any]:
    """This folder's project. The word in its title is on the disk before: killed between, the next one finds it.

    people: by how many each task is to be answered; None: by one.
    """
    if not KEPT.is_file():
        write_text(KEPT, secrets.token_hex(4) + "\n")
    about = "Questions of `winnow label push`; `winnow label pull` brings the answers back. Leave the title as it is."
    told = {"title": _title(), "description": about, "label_config": configuration, "maximum_annotations": people or 1}
    # a guess that is shown is believed: people answer before they see it
    asked = {"show_collab_predictions": False, "show_skip_button": True, "enable_empty_annotation": False}
    made = server.send("POST", "/api/projects/", {**told, **asked})
    if not isinstance(made, dict) or "id" not in made:
        raise WinnowError("Label Studio made a project and did not say its number: look at its page, and try again.")
    return made


def bring_up_to_date(
    server: LabelStudio, found: dict[str, Any], configuration: str, classes: list[str], people: int | None, *, own: bool
) -> None:
    """Give a project that is there the classes that it lacks, and as many people as are asked for (None: as it has).

    own: whether it is this folder's.

    Raises WinnowError for somebody else's project whose labeling configuration asks otherwise.
    """
    asks = (found.get("parsed_label_config") or {}).get(CHOICE) or {}
    lacks = [one for one in classes if one not in asks.get("labels", [])]
    if lacks and not own:
        raise WinnowError(
            f"project {found['id']} of Label Studio has no choice '{short(lacks[0])}' by the name {CHOICE}: give it "
            "the labeling configuration that `winnow label export tasks.json` writes, or push without --project."
        )
    change: dict[str, Any] = {"label_config": configuration} if lacks else {}
    if own and people is not None and found.get("maximum_annotations") != people:
        change["maximum_annotations"] = people
    if change:
        server.send("PATCH", f"/api/projects/{found['id']}/", change)


def _title() -> str:
    return f"{Path.cwd().name[:_TITLE]} (winnow {KEPT.read_text(encoding='ascii').strip()})"
