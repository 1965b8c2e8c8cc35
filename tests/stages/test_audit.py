"""audit: what it writes on a tiny run; what it measures, tests/judging/test_augmentation_audit.py knows."""

import json

import pytest
from evaluated_world import OUTPUTS, Project

from components.datasets.named_arrays import read_arrays
from components.stages import audit


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("audit"))


def test_every_finding_has_its_samples_and_two_runs_give_the_same_bytes(project: Project) -> None:
    figures = project.audit("one")
    project.audit("two")
    found = json.loads((project.home / "one/audit.json").read_text())
    shown = read_arrays(project.home / "one/changed.npz")
    assert figures == {"labels": 6.0, "forbidden": float(len(found["forbidden"]))}
    assert list(shown) == [str(number) for number in range(len(found["levels"]))]
    assert {samples.shape[1:] for samples in shown.values()} == {(1, 16, 16)}
    for name in OUTPUTS[audit]:
        assert (project.home / "one" / name).read_bytes() == (project.home / "two" / name).read_bytes(), name


def test_of_more_labels_than_it_may_look_at_some_are_drawn(project: Project) -> None:
    project.audit("some", audited=5)
    assert json.loads((project.home / "some/audit.json").read_text())["pictures"] == 5


@pytest.mark.parametrize("audited", [0, 2])
def test_of_too_few_labels_nothing_is_found(project: Project, audited: int) -> None:
    assert project.audit("none", audited=audited) == {"labels": 0.0, "forbidden": 0.0}
    assert json.loads((project.home / "none/audit.json").read_text()) == {}
    assert read_arrays(project.home / "none/changed.npz") == {}
