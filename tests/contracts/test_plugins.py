"""What every plug-in keeps, run over all that are found: a new file is tested the moment it exists."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from components.core import plugins, seeds
from components.core.config import Config, PluginChoice
from components.core.errors import WinnowError
from components.methods.contracts import (
    AdaptationMethod,
    Batch,
    Graph,
    Pool,
    PoolTask,
    QueryStrategy,
    SelfSupervisedMethod,
    SemiSupervisedMethod,
)
from components.models.classifier import Classifier, ClassifierSpec, load_classifier, save_classifier
from components.training.adapt import adapt
from components.training.inference import predict
from components.training.loop import LoopConfig
from tests.contracts.built import (
    SMALL,
    batch_of,
    before_epoch,
    corpus_of,
    mixed_batch,
    noisy,
    seen,
    self_supervised,
    semi_supervised,
    semi_supervised_networks,
    stripes_to_adapt,
    texts_to_adapt,
)
from tests.pictures import given

SIZE, CLASSES = 32, 3
NOT_OURS = {"timm_model": "timm"}  # libraries that need not be installed


def _named(family: str) -> list[str]:
    return plugins.names(family)


def _blobs(per_class: int = 30, dimension: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Three well separated clusters: `(90, 8)` vectors and their classes."""
    generator = np.random.default_rng(0)
    centers = np.eye(CLASSES, dimension) * 4
    vectors = np.concatenate([center + generator.normal(size=(per_class, dimension)) * 0.3 for center in centers])
    return vectors.astype(np.float32), np.repeat(np.arange(CLASSES), per_class)


def _graph(vectors: np.ndarray, k: int = 6) -> Graph:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -2)
    indices = np.argsort(-similarity, axis=1)[:, :k]
    return Graph(indices=indices, similarities=np.take_along_axis(similarity, indices, 1).astype(np.float32))


@pytest.mark.parametrize(("family", "name"), list(plugins.every()))
def test_a_plugin_has_typed_settings_and_a_caption(family: str, name: str) -> None:
    plugin = plugins.load(family, name)
    assert issubclass(plugin.Config, Config)
    with pytest.raises(ValidationError):
        plugin.Config(**{"surely_unknown": 1})
    caption = (inspect.getdoc(import_module(plugin.__module__)) or "").splitlines()
    assert caption, "a plug-in's file begins with its caption"
    assert 10 < len(caption[0]) <= 120


@pytest.mark.parametrize("name", _named("self_supervised"))
def test_what_a_method_compares_is_a_vector_for_each_of_the_encoders(name: str) -> None:
    method = self_supervised(name).eval()
    vectors = torch.rand(5, method.encoder.dim)
    projected = method.project(vectors)
    assert projected is None or (projected.ndim == 2 and len(projected) == 5 and bool(projected.isfinite().all()))
    compares = type(method).project is not SelfSupervisedMethod.project  # the others cannot collapse
    assert (projected is not None) == compares


@pytest.mark.parametrize("family", plugins.FAMILIES)
def test_a_typo_in_a_name_is_answered_with_the_nearest(family: str) -> None:
    right = plugins.names(family)[0]
    with pytest.raises(WinnowError, match=f"did you mean '{right}'"):
        plugins.load(family, right + "x")


@pytest.mark.parametrize("name", _named("encoder"))
@pytest.mark.parametrize("channels", [1, 3])
def test_an_encoder_gives_one_vector_of_its_dimension_per_picture(name: str, channels: int) -> None:
    if name in NOT_OURS:
        pytest.importorskip(NOT_OURS[name])
    (kind,) = plugins.load("encoder", name).takes
    what, views = given(channels, SIZE), torch.rand(2, channels, SIZE, SIZE)
    if kind != "pixels":
        corpus = corpus_of(kind, 2)
        what, views = corpus.views.input, corpus.views.plain(torch.from_numpy(np.asarray(corpus.samples)))
    encoder = plugins.build("encoder", PluginChoice(name=name), what, where="encoder").eval()
    with torch.no_grad():
        vectors = encoder(views)
    assert vectors.shape == (2, encoder.dim)
    assert torch.isfinite(vectors).all()
    assert not torch.allclose(vectors[0], vectors[1])


@pytest.mark.parametrize("name", _named("self_supervised"))
def test_a_self_supervised_step_sends_a_finite_gradient_to_the_whole_encoder(name: str) -> None:
    method = self_supervised(name)
    samples, noise = seen(method, 8), torch.Generator().manual_seed(0)
    before_epoch(method, samples)
    output = method.training_step(batch_of(method, [noisy(samples, noise) for _ in method.views]))
    output.loss.backward()
    gradients = [parameter.grad for parameter in method.encoder.parameters()]
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.abs().sum() > 0 for gradient in gradients if gradient is not None)


@pytest.mark.parametrize("name", _named("self_supervised"))
def test_a_self_supervised_method_learns_to_recognize_a_picture_among_others(name: str) -> None:
    method = self_supervised(name)
    samples = seen(method, 16)
    before_epoch(method, samples)
    noise = torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(method.parameters(), lr=3e-3)
    figures = []
    for step in range(25):
        views = [noisy(samples, noise) for _ in method.views]
        output = method.training_step(batch_of(method, views, step))
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
        method.after_step((step + 1) / 25)
        figures.append({"loss": output.loss.item(), **output.metrics}[method.falls])
    assert np.mean(figures[-5:]) < 0.97 * np.mean(figures[:5])


@pytest.mark.parametrize("name", sorted({*_named("semi_supervised")} - {*semi_supervised_networks()}))
def test_a_semi_supervised_method_spreads_one_label_per_cluster_over_the_cluster(name: str) -> None:
    vectors, classes = _blobs()
    labeled = np.array([0, 30, 60])
    method = plugins.build("semi_supervised", PluginChoice(name=name), where="method")
    assert isinstance(method, SemiSupervisedMethod)
    task = PoolTask(vectors, _graph(vectors), labeled, np.eye(CLASSES, dtype=np.float32), seed=0)
    first, second = method.pseudo_label(task), method.pseudo_label(task)
    assert first.shape == (len(vectors), CLASSES)
    np.testing.assert_allclose(first.sum(axis=1), 1, atol=1e-5)
    assert (first >= 0).all()
    assert (first.argmax(axis=1) == classes).mean() > 0.95
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", semi_supervised_networks())
@pytest.mark.parametrize("labeled", [0, 3, 8])
def test_a_semi_supervised_step_is_finite_with_no_label_some_and_nothing_else(name: str, labeled: int) -> None:
    method = semi_supervised(name, unlabeled=8 - labeled).train()
    batch = mixed_batch(method, torch.eye(CLASSES)[torch.arange(8) % CLASSES], labeled)
    method.before_round(0)
    before_epoch(method, torch.randn(8, 1, SIZE, SIZE))
    output = method.training_step(batch)
    output.loss.backward()
    for key, parameter in [*method.encoder.named_parameters(), *method.head.named_parameters()]:
        if parameter.requires_grad:
            assert parameter.grad is not None, key
            assert torch.isfinite(parameter.grad).all(), key
    assert output.loss.isfinite()
    assert all(not torch.as_tensor(value).requires_grad for value in output.metrics.values())
    assert (method.head.weight.grad.abs().sum() > 0) or not labeled


@pytest.mark.parametrize("name", semi_supervised_networks())
def test_a_semi_supervised_network_learns_its_labels_and_classifies_by_what_it_learned(name: str) -> None:
    """Bright rows, columns or squares under noise: three pictures of each class have a label, nine have none."""
    side, generator = SIZE // 2, torch.Generator().manual_seed(0)
    method, classes = semi_supervised(name, unlabeled=27, size=side).train(), torch.arange(36) % CLASSES
    shapes = torch.zeros(CLASSES, 1, side, side)
    shapes[0, :, 4:8], shapes[1, :, :, 4:8], shapes[2, :, 6:14, 6:14] = 2.0, 2.0, 2.0
    pictures = shapes[classes] + 0.1 * torch.randn(36, 1, side, side, generator=generator)
    weights = (torch.arange(36) >= 27).float()
    targets = torch.eye(CLASSES)[classes] * weights[:, None]
    for number in range(method.rounds):
        method.before_round(number)
        optimizer = torch.optim.AdamW(method.parameter_groups(0.005))
        for step in range(40):
            if step % 10 == 0:
                before_epoch(method, pictures, step)
            views = [pictures + 0.1 * torch.randn(pictures.shape, generator=generator) for _ in method.views]
            optimizer.zero_grad()
            method.training_step(Batch(views, targets, weights, torch.arange(36), generator)).loss.backward()
            optimizer.step()
            method.after_step((step + 1) / 40)
    encoder, head = method.eval().classifier()
    with torch.no_grad():
        assert (head(encoder(pictures)).argmax(1) == classes).float().mean() > 0.9


def _pool(labeled: int = 3) -> Pool:
    vectors, classes = _blobs()
    generator = np.random.default_rng(1)
    scores = np.eye(CLASSES)[classes] + generator.random((len(vectors), CLASSES))
    probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    positions, draws = np.arange(len(vectors)), np.stack([probabilities, probabilities[::-1]])
    return Pool(
        vectors,
        labeled=positions[:labeled],
        candidates=positions[labeled:],
        probabilities=probabilities,
        features=vectors[labeled:],
        draws=draws[:, labeled:],
    )


@pytest.mark.parametrize("name", _named("query_strategy"))
@pytest.mark.parametrize("budget", [1, 10, 500])
@pytest.mark.parametrize("labeled", [0, 3])
def test_a_query_is_distinct_unlabeled_within_budget_and_repeatable(name: str, budget: int, labeled: int) -> None:
    pool = _pool(labeled)
    strategy = plugins.build("query_strategy", PluginChoice(name=name), where="strategy")
    assert isinstance(strategy, QueryStrategy)
    first = strategy.query(pool, budget, seeds.torch_generator(0))
    second = strategy.query(pool, budget, seeds.torch_generator(0))
    assert len(first) == min(budget, len(pool.candidates))
    assert len(set(first.tolist())) == len(first)
    assert set(first.tolist()) <= set(pool.candidates.tolist())
    np.testing.assert_array_equal(first, second)


OF_PICTURES = [
    name for name in _named("adaptation") if "pixels" in (plugins.fits(plugins.load("adaptation", name)) or ("pixels",))
]
TO_ADAPT = [(name, kind) for name in OF_PICTURES for kind in SMALL]
TO_ADAPT += [(name, None) for name in _named("adaptation") if name not in OF_PICTURES]


@pytest.mark.parametrize("name", OF_PICTURES)
def test_an_adaptation_step_sends_a_finite_gradient_to_all_that_it_trains(name: str) -> None:
    torch.manual_seed(0)
    encoder = plugins.build("encoder", PluginChoice(name="small_resnet", width=8), given(1, SIZE), where="encoder")
    method = plugins.build("adaptation", PluginChoice(name=name), encoder, CLASSES, where="method")
    assert isinstance(method, AdaptationMethod)
    shape = (6, encoder.dim) if method.frozen_encoder else (6, 1, SIZE, SIZE)
    targets = torch.eye(CLASSES)[torch.arange(6) % CLASSES]
    views = [torch.randn(shape) for _ in method.views or ("vectors",)]
    output = method.training_step(Batch(views=views, targets=targets, weights=torch.ones(6)))
    output.loss.backward()
    trained = [parameter for parameter in method.parameters() if parameter.requires_grad]
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in trained)
    reached = any(p.grad is not None and p.grad.abs().sum() > 0 for p in method.encoder.parameters())
    assert reached != method.frozen_encoder


@pytest.mark.parametrize(("name", "kind"), TO_ADAPT, ids=str)
def test_an_adapted_classifier_knows_its_labels_and_comes_back_from_its_file(
    name: str, kind: PluginChoice | None, tmp_path: Path
) -> None:
    material, examples, spec = stripes_to_adapt(tmp_path, kind) if kind else texts_to_adapt(tmp_path)
    loop = LoopConfig(epochs=3, batch_size=12, learning_rate=0.001)
    method, history = adapt(PluginChoice(name=name), material, examples, loop, seed=0)
    again, _ = adapt(PluginChoice(name=name), material, examples, loop, seed=0)
    assert len(history) == (1 if method.frozen_encoder else 4)
    encoder = spec.model_copy(update={"additions": method.encoder.additions})
    whole = ClassifierSpec(encoder=encoder, classes=["rows", "columns", "square"], method=name)
    classifier = Classifier(method.encoder, method.head, whole)
    samples = material.corpus.samples
    said = predict(classifier, samples)
    assert (said[:12].argmax(1) == np.arange(12) % 3).mean() > 0.9
    np.testing.assert_array_equal(predict(Classifier(again.encoder, again.head, whole), samples), said)
    save_classifier(tmp_path / "model.safetensors", classifier)
    np.testing.assert_array_equal(
        predict(load_classifier(tmp_path / "model.safetensors"), material.corpus.samples), said
    )


@pytest.mark.parametrize("name", [*_named("self_supervised"), *semi_supervised_networks(), *_named("adaptation")])
def test_a_class_names_all_the_views_that_its_settings_can_make_it_ask_for(name: str) -> None:
    family = next(family for family in plugins.FAMILIES if name in _named(family))
    plugin = plugins.load(family, name)
    view = plugin.Config.model_fields.get("view")
    wanted = set(get_args(view.annotation)) if view else set()
    if family == "self_supervised":
        wanted |= set(self_supervised(name).views)
    if family == "semi_supervised":
        wanted |= set(semi_supervised(name, unlabeled=4).views)
    assert wanted <= set(plugin.views)
