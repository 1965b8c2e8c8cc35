"""Every method that trains a network on a small encoder that suits it, and batches of what it wants to see."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from components.core import plugins
from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.methods.contracts import Batch, SelfSupervisedMethod, SemiSupervisedNetwork, TrainableMethod
from components.modalities.image.policy import Policy
from components.models.encoder_file import EncoderSpec, Inputs, build_encoder, save_encoder
from components.training.adapt import Examples, Material
from components.training.corpus import Corpus
from components.training.inference import embed_all
from tests import clips, texts
from tests.pictures import given, spec_of, views_of

SHRINK = {"local": 2}
SMALL = [
    PluginChoice(name="small_resnet", width=8),
    PluginChoice(name="vit_small", width=24, depth=2, heads=2),  # for methods that want patches
]
TINY = {"width": 24, "depth": 2, "heads": 2}
OF_OTHER_KINDS = [  # for methods that are for these alone
    PluginChoice(name="word_vectors"),
    PluginChoice(name="transformer", **TINY),
    PluginChoice(name="transformer", causal=True, positions="rotary", **TINY),
    PluginChoice(name="lstm", width=24, hidden=12),
    PluginChoice(name="wave_transformer", channels=16, strides=(5, 4, 4), width=32, depth=1, heads=2),
    PluginChoice(name="mel_network", width=8),
]
LOOK = Policy(crop=(0.5, 1.0))
POLICIES = {"view": LOOK, "weak": LOOK, "strong": LOOK, "local": Policy(crop=(0.2, 0.5), shrink=2)}


def corpus_of(kind: str, count: int, size: int = 32) -> Corpus:
    """Samples of a kind of views, and how methods look at them."""
    if kind == "tokens":
        said, _ = texts.about(count)
        views = texts.views_of(said, **dict.fromkeys(POLICIES, texts.Policy(crop=(0.5, 1.0))))
        return Corpus(texts.records_of(said), np.arange(count), views)
    if kind in ("log_mel", "wave"):
        records, _ = clips.records_of(count)
        look = clips.Policy(crop=(0.5, 1.0), gain=6)
        return Corpus(records, np.arange(count), clips.views_of(records, kind, **dict.fromkeys(POLICIES, look)))
    samples = np.random.default_rng(0).integers(0, 256, (count, 1, size, size), dtype=np.uint8)
    return Corpus(samples, np.arange(count), views_of(POLICIES, mean=[0.5], std=[0.25]))


def seen(method: TrainableMethod, count: int, size: int = 32) -> Tensor:
    """Views of `count` samples that differ, of the kind that the method's encoder takes."""
    if method.encoder.given.kind != "pixels":
        corpus = corpus_of(method.encoder.given.kind, count)
        return corpus.views.plain(torch.from_numpy(np.asarray(corpus.samples)))
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(0))


def noisy(views: Tensor, generator: torch.Generator) -> Tensor:
    """The views, each number a little off; symbols have nothing near."""
    return views + 0.1 * torch.randn(views.shape, generator=generator) if views.is_floating_point() else views


def self_supervised(name: str, size: int = 32) -> SelfSupervisedMethod:
    """The method with its default settings, its weights always the same."""
    for choice in [*SMALL, *OF_OTHER_KINDS]:
        torch.manual_seed(0)
        (kind,) = plugins.load("encoder", choice.name).takes
        what = given(1, size) if kind == "pixels" else corpus_of(kind, 60).views.input
        encoder = plugins.build("encoder", choice, what, where="encoder")
        try:
            method = plugins.build("self_supervised", PluginChoice(name=name), encoder, where="method", kind=kind)
        except WinnowError:
            continue
        assert isinstance(method, SelfSupervisedMethod)
        return method
    raise AssertionError(f"no encoder suits {name}")


def semi_supervised_networks() -> list[str]:
    """Names of the semi-supervised methods that see pictures."""
    family = "semi_supervised"
    return [name for name in plugins.names(family) if issubclass(plugins.load(family, name), SemiSupervisedNetwork)]


def semi_supervised(name: str, *, unlabeled: int, classes: int = 3, size: int = 32) -> SemiSupervisedNetwork:
    """The method with its default settings, its weights always the same."""
    torch.manual_seed(0)
    encoder = plugins.build("encoder", SMALL[0], given(1, size), where="encoder")
    parts = (encoder, torch.nn.Linear(encoder.dim, classes), unlabeled)
    method = plugins.build("semi_supervised", PluginChoice(name=name), *parts, where="method")
    assert isinstance(method, SemiSupervisedNetwork)
    return method


def mixed_batch(method: SemiSupervisedNetwork, targets: Tensor, labeled: int, size: int = 32) -> Batch:
    """Random views; the last `labeled` rows have their targets `(B, K)`, the others none."""
    noise = torch.Generator().manual_seed(0)
    rows = len(targets)
    weights = (torch.arange(rows) >= rows - labeled).float()
    views = [torch.randn(rows, 1, size, size, generator=noise) for _ in method.views]
    return Batch(views, targets * weights[:, None], weights, torch.arange(rows), torch.Generator().manual_seed(0))


def batch_of(method: SelfSupervisedMethod, views: list[Tensor], step: int = 0, *, keys: Tensor | None = None) -> Batch:
    """One view `(B, C, S, S)` per name in `method.views`, the local ones made smaller; keys 0 to B - 1 by default."""
    keys = torch.arange(len(views[0])) if keys is None else keys
    shrunk = [
        F.avg_pool2d(view, SHRINK[name]) if name in SHRINK else view
        for name, view in zip(method.views, views, strict=True)
    ]
    return Batch(shrunk, keys=keys, generator=torch.Generator().manual_seed(step))


def before_epoch(method: TrainableMethod, pictures: Tensor, epoch: int = 0) -> None:
    """What the loop does before an epoch over `pictures` `(N, C, S, S)`."""

    def vectors() -> Tensor:
        method.encoder.eval()
        with torch.no_grad():
            made: Tensor = method.encoder(pictures)
        method.encoder.train()
        return made

    method.before_epoch(vectors, torch.Generator().manual_seed(epoch))


def stripes_to_adapt(folder: Path, kind: PluginChoice, size: int = 16) -> tuple[Material, Examples, EncoderSpec]:
    """24 noisy pictures of bright rows, columns or squares, the first 12 labeled, and an untrained encoder's file."""
    noise, classes = np.random.default_rng(0), np.arange(24) % 3
    shapes = np.zeros((3, 1, size, size))
    shapes[0, :, 4:8], shapes[1, :, :, 4:8], shapes[2, :, 6:14, 6:14] = 120, 120, 120
    samples = (shapes[classes] + noise.integers(0, 120, (24, 1, size, size))).astype(np.uint8)
    views = views_of({name: Policy(crop=(0.8, 1.0)) for name in ("weak", "view")}, [0.3], [0.3])
    spec = spec_of(
        name=kind.name,
        options=kind.options,
        channels=1,
        image_size=size,
        dim={"small_resnet": 32, "vit_small": 24}[kind.name],
        mean=[0.3],
        std=[0.3],
    )
    torch.manual_seed(0)
    encoder = build_encoder(spec)
    with torch.no_grad():
        for _ in range(30):  # batch norms know the pictures, as after pretraining
            encoder.train()(spec.inputs.plain(torch.from_numpy(samples)))
    save_encoder(folder / "encoder.safetensors", encoder, spec)
    vectors = embed_all(encoder, spec.inputs.plain, samples)
    corpus = Corpus(samples, np.arange(24), views)
    material = Material(corpus, vectors, folder / "encoder.safetensors", 3)
    targets = np.eye(3, dtype=np.float32)[classes[:12]]
    return material, Examples(np.arange(12), targets, np.ones(12, np.float32), np.ones(12, np.int64)), spec


def texts_to_adapt(folder: Path) -> tuple[Material, Examples, EncoderSpec]:
    """60 short texts about three things, the first 12 labeled, and an untrained encoder's file."""
    said, topics = texts.about(60)
    views = texts.views_of(said, weak=texts.Policy(), view=texts.Policy())
    inputs = Inputs(modality=views.modality.choice, statistics=views.statistics)
    spec = EncoderSpec(name="word_vectors", inputs=inputs, dim=100)
    torch.manual_seed(0)
    encoder, samples = build_encoder(spec), texts.records_of(said)
    save_encoder(folder / "encoder.safetensors", encoder, spec)
    corpus = Corpus(samples, np.arange(60), views)
    material = Material(corpus, embed_all(encoder, views.plain, samples), folder / "encoder.safetensors", 3)
    targets = np.eye(3, dtype=np.float32)[topics[:12]]
    return material, Examples(np.arange(12), targets, np.ones(12, np.float32), np.ones(12, np.int64)), spec
