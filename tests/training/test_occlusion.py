"""The words that decided are those without which the model would be less sure."""

import numpy as np
import pytest
import torch
from torch import nn

from components.models.classifier import Classifier, ClassifierSpec
from components.models.encoder_file import EncoderSpec, Inputs, build_encoder
from components.training.inference import predict
from components.training.occlusion import LEAST, MOST_MARKS, decisive_parts
from tests.pictures import spec_of
from tests.texts import records_of, views_of

TEXTS = ["the boat and the reef", "an oak and an owl"]


def _model() -> Classifier:
    """It says `sea` by how much of a text is the word boat, `wood` by the word oak."""
    views = views_of(TEXTS)
    inputs = Inputs(modality=views.modality.choice, statistics=views.statistics)
    spec = EncoderSpec(name="word_vectors", options={"width": 8}, inputs=inputs, dim=8)
    encoder = build_encoder(spec)
    with torch.no_grad():
        for weights in encoder.parameters():
            weights.zero_()
        table = next(one for one in encoder.parameters() if one.ndim == 2)
        for word, place in (("boat", 0), ("oak", 1)):
            number = int(views.plain(torch.from_numpy(records_of([word])))[0, 0])
            table[number, place] = 5.0
    head = nn.Linear(8, 2)
    with torch.no_grad():
        head.weight.copy_(torch.eye(2, 8) * 20)
        head.bias.zero_()
    return Classifier(encoder, head, ClassifierSpec(encoder=spec, classes=["sea", "wood"], method="linear_probe"))


def test_the_word_that_a_model_goes_by_is_the_one_that_counts_most() -> None:
    model, records = _model(), records_of(TEXTS)
    kind = model.spec.encoder.inputs.kind
    marks = decisive_parts(model, [records[0], records[1]], [0, 1])
    assert [kind.said_in(record, found[0].part) for record, found in zip(records, marks, strict=True)] == [
        "boat",
        "oak",
    ]


def test_a_fall_is_the_share_of_the_odds_that_is_lost() -> None:
    model, record = _model(), records_of(TEXTS)[0]
    mark = decisive_parts(model, [record], [0])[0][0]
    with_it, without = (float(predict(model, rows)[0, 0]) for rows in (record[None], records_of(["the  and the reef"])))
    odds = [sure / (1 - sure) for sure in (with_it, without)]
    assert mark.fall == pytest.approx(1 - odds[1] / odds[0], abs=1e-4)
    assert mark.fall > LEAST


def test_few_marks_are_made_each_worth_a_point_and_none_of_a_single_word() -> None:
    model = _model()
    marks = decisive_parts(model, [records_of(["boat " * 60 + "reef"])[0], records_of(["boat"])[0]], [0, 0])
    assert len(marks[0]) <= MOST_MARKS
    assert all(mark.fall >= LEAST for mark in marks[0])
    assert marks[1] == []


def test_pictures_have_no_words() -> None:
    spec = spec_of(name="small_resnet", options={"width": 8}, channels=1, image_size=8, dim=32, mean=[0.5], std=[0.5])
    model = Classifier(
        build_encoder(spec), nn.Linear(32, 2), ClassifierSpec(encoder=spec, classes=["a", "b"], method="full")
    )
    assert decisive_parts(model, [np.zeros((1, 8, 8), np.uint8)], [0]) == [[]]
