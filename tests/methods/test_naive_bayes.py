"""Naive Bayes over words: its odds by scikit-learn's, what pool texts add, one text at a time, what it is not for."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.naive_bayes import MultinomialNB

from components.core import plugins
from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.methods.adaptation import naive_bayes
from components.methods.adaptation.naive_bayes import LEAST, NaiveBayes
from components.models.classifier import Classifier, ClassifierSpec
from components.models.linear_head import fit_linear
from components.models.odds import FIRST
from components.training.adapt import Examples, Material, adapt
from components.training.inference import observe
from components.training.loop import LoopConfig
from tests import texts
from tests.contracts.built import texts_to_adapt
from tests.pictures import given


def _adapted(material: Material, examples: Examples, **options: float) -> NaiveBayes:
    choice = PluginChoice(name="naive_bayes", **options)
    method, history = adapt(choice, material, examples, LoopConfig(), seed=0)
    assert isinstance(method, NaiveBayes)
    assert len(history) == 1
    return method


def _bags(material: Material) -> np.ndarray:
    """`(N, V)`: how often each entry stands in each text, as the encoder sees it."""
    views = material.plain(torch.from_numpy(np.asarray(material.corpus.samples))).numpy()
    return np.stack([np.bincount(row, minlength=material.corpus.views.input.symbols) for row in views])[:, FIRST:]


@pytest.mark.parametrize("unlabeled", [0.1, 1.0])
def test_the_odds_are_those_of_another_library_on_the_same_texts_and_weights(tmp_path: Path, unlabeled: float) -> None:
    material, examples, _ = texts_to_adapt(tmp_path)
    weights = np.linspace(0.2, 1, 12, dtype=np.float32)
    targets = 0.8 * examples.targets + 0.2 / 3  # counts for the likeliest class alone
    examples = Examples(examples.positions, targets, weights, examples.repeats)
    found = _adapted(material, examples, unlabeled=unlabeled).odds.weight.numpy()[FIRST:]
    probe, _ = fit_linear(material.vectors, examples.positions, targets, weights, l2=0.01)
    guessed = torch.softmax(probe(torch.from_numpy(material.vectors)), 1).detach().numpy()
    bags = _bags(material)
    rows = np.concatenate([bags[:12], *[bags] * 3])
    classes = np.concatenate([targets.argmax(1), np.repeat(np.arange(3), 60)])
    parts = np.concatenate([weights, unlabeled * guessed.T.ravel()])
    sizes = np.array([(rows.sum(1) * parts)[classes == one].sum() for one in range(3)])
    rows = np.concatenate([rows, np.ones((3, rows.shape[1]))])  # a text of every word in each class, by its size
    classes, parts = np.append(classes, range(3)), np.append(parts, LEAST * sizes / sizes.mean())
    theirs = MultinomialNB(alpha=1e-10).fit(rows, classes, sample_weight=parts).feature_log_prob_.T
    np.testing.assert_allclose(found, theirs - theirs.mean(1, keepdims=True), atol=1e-4)


def test_what_it_says_of_a_text_is_the_mean_of_its_words_whatever_stands_beside_it(tmp_path: Path) -> None:
    material, examples, spec = texts_to_adapt(tmp_path)
    method = _adapted(material, examples)
    assert method.encoder.dim == spec.dim + 3
    whole = ClassifierSpec(
        encoder=spec.model_copy(update={"additions": method.encoder.additions}),
        classes=["sea", "city", "wood"],
        method="naive_bayes",
    )
    classifier, bags = Classifier(method.encoder, method.head, whole), _bags(material)
    records = torch.from_numpy(np.asarray(material.corpus.samples))
    with torch.no_grad():
        features, said = classifier.features(records), classifier(records)
        longer = torch.nn.functional.pad(records, (0, 50))
        np.testing.assert_allclose(classifier(longer[:1]).numpy(), said[:1].numpy(), atol=1e-6)
    expected = bags @ method.odds.weight.numpy()[FIRST:] / bags.sum(1, keepdims=True)
    np.testing.assert_allclose(features[:, spec.dim :].numpy(), expected, atol=1e-5)
    scale = bags.sum(1).mean() ** 0.5
    np.testing.assert_allclose(said.numpy(), torch.softmax(torch.from_numpy(scale * expected), 1).numpy(), atol=1e-4)


def test_what_embed_made_serves_where_only_odds_were_added(tmp_path: Path) -> None:
    material, examples, spec = texts_to_adapt(tmp_path)
    method = _adapted(material, examples)
    encoder = spec.model_copy(update={"additions": method.encoder.additions})
    whole = ClassifierSpec(encoder=encoder, classes=["sea", "city", "wood"], method="naive_bayes")
    classifier, samples = Classifier(method.encoder, method.head, whole), material.corpus.samples
    rows = np.array([7, 3, 59])
    found = [observe(classifier, samples, rows, features=True, vectors=known) for known in (None, material.vectors)]
    np.testing.assert_allclose(found[0].features, found[1].features, atol=1e-6)
    np.testing.assert_allclose(found[0].probabilities, found[1].probabilities, atol=1e-6)


def test_words_outvote_a_fifth_of_labels_that_are_wrong(tmp_path: Path) -> None:
    material, _, _ = texts_to_adapt(tmp_path)
    _, topics = texts.about(60)
    said = np.where(np.arange(60) % 5 == 0, (topics + 1) % 3, topics)
    targets, ones = np.eye(3, dtype=np.float32)[said], np.ones(60)
    method = _adapted(material, Examples(np.arange(60), targets, ones.astype(np.float32), ones.astype(np.int64)))
    with torch.no_grad():
        seen = method.encoder(material.plain(torch.from_numpy(np.asarray(material.corpus.samples))))
        right = (method.head(seen).argmax(1).numpy() == topics).mean()
    assert right > 0.95


def test_pictures_have_no_words() -> None:
    encoder = plugins.build("encoder", PluginChoice(name="small_resnet", width=8), given(1, 16), where="encoder")
    choice = PluginChoice(name="naive_bayes")
    with pytest.raises(WinnowError, match="naive_bayes"):
        plugins.build("adaptation", choice, encoder, 3, where="finetune.method", kind="pixels")


def test_of_very_many_texts_some_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    material, examples, _ = texts_to_adapt(tmp_path)
    monkeypatch.setattr(naive_bayes, "MOST", 5)
    bags = _bags(material)
    words = bags[[0, 14, 29, 44, 59]].sum(0) + bags[[0, 2, 5, 8, 11]].sum(0)
    odds = _adapted(material, examples).odds.weight.numpy()[FIRST:]
    assert np.abs(odds[words == 0]).max() < 1e-6 < np.abs(odds[words > 0]).min()
