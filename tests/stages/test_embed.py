"""embed: vectors in the manifest's order, exact neighbors, and a map that shows every picture once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from components.core.errors import WinnowError
from components.models.encoder_file import build_encoder, save_encoder
from components.pages.map import draw_map
from components.stages import embed
from components.stages.embed import Params
from tests.pictures import save_pictures, spec_of, write_manifest

COUNT = 30
SPEC = spec_of(name="small_resnet", options={"width": 8}, channels=1, image_size=8, dim=32, mean=[0.5], std=[0.25])
OUTPUTS = {"embeddings": "embeddings.npy", "neighbors": "neighbors.npz", "map": "map.png"}


def _run(folder: Path, *, training: int = 24) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
    generator = np.random.default_rng(0)
    save_pictures(folder / "samples.npy", generator.integers(0, 256, (COUNT, 1, 8, 8), dtype=np.uint8))
    ids = [f"{number:016x}" for number in range(COUNT)]
    constants = {"path": "p", "width": 8, "height": 8, "mode": "L", "bytes": 64, "sha256": "0"}
    splits = ["train" if number < training else "test" for number in range(COUNT)]
    write_manifest(folder / "manifest.parquet", pd.DataFrame({"id": ids, "group": ids, "split": splits, **constants}))
    if not (folder.parent / "encoder.safetensors").exists():
        save_encoder(folder.parent / "encoder.safetensors", build_encoder(SPEC), SPEC)
    outputs = {name: folder / file for name, file in OUTPUTS.items()}
    embed.run(
        params=Params(neighbors=5),
        manifest=folder / "manifest.parquet",
        samples=folder / "samples.npy",
        encoder=folder.parent / "encoder.safetensors",
        **outputs,
    )
    return outputs


def test_all_samples_get_a_vector_and_training_samples_neighbors(tmp_path: Path) -> None:
    outputs = _run(tmp_path / "one")
    vectors = np.load(outputs["embeddings"])
    graph = np.load(outputs["neighbors"])
    assert (vectors.shape, vectors.dtype) == ((COUNT, 32), np.float32)
    assert graph["positions"].tolist() == list(range(24))
    assert (graph["indices"].shape, graph["indices"].dtype) == ((24, 5), np.int64)
    unit = vectors[:24] / np.linalg.norm(vectors[:24], axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -2)
    np.testing.assert_allclose(graph["similarities"], -np.sort(-similarity, axis=1)[:, :5], atol=1e-5)
    chosen = np.take_along_axis(similarity, graph["indices"], 1)
    np.testing.assert_allclose(graph["similarities"], chosen, atol=1e-5)


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = _run(tmp_path / "one"), _run(tmp_path / "two")
    for name in OUTPUTS:
        assert first[name].read_bytes() == second[name].read_bytes()


def test_a_split_of_one_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="fewer than 2 samples"):
        _run(tmp_path / "one", training=1)


@pytest.mark.parametrize("count", [2, 20])
def test_the_map_shows_every_picture_once(tmp_path: Path, count: int) -> None:
    levels = np.linspace(10, 200, count).astype(np.uint8)
    tiles = list(np.broadcast_to(levels[:, None, None, None], (count, 8, 8, 3)))
    vectors = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)
    draw_map(tmp_path / "map.png", tiles, vectors, seed=0)
    shown = np.asarray(Image.open(tmp_path / "map.png").convert("L"))
    areas = [(shown == level).sum() for level in levels]
    assert min(areas) > 0
    assert min(areas) == max(areas)


def test_likes_stand_together_on_the_map(tmp_path: Path) -> None:
    levels = np.repeat(np.array([40, 160], np.uint8), 20)
    tiles = list(np.broadcast_to(levels[:, None, None, None], (40, 8, 8, 3)))
    vectors = np.eye(2, dtype=np.float32)[np.repeat([0, 1], 20)]
    vectors = vectors + np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32) * 0.01
    draw_map(tmp_path / "map.png", tiles, vectors, seed=0)
    shown = np.asarray(Image.open(tmp_path / "map.png").convert("L")).astype(int)
    centers = [np.argwhere(shown == level).mean(0) for level in (40, 160)]
    spreads = [np.argwhere(shown == level).std(0).max() for level in (40, 160)]
    assert np.linalg.norm(centers[0] - centers[1]) > 1.5 * max(spreads)
