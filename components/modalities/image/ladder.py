"""What the audit of augmentations tries on pictures, from mild to strong."""

from components.modalities import Level


def _color(name: str, *strengths: float) -> list[Level]:
    return [Level({name: strength, "color_probability": 1.0}, {name: strength}) for strength in strengths]


LADDER: dict[str, list[Level]] = {  # from mild to strong
    "crop": [Level({"crop": (least, 1.0)}) for least in (0.8, 0.6, 0.4, 0.2)],
    "flip": [Level({"flip": 1.0}, {"flip": 0.5}, chance=False)],
    "vertical flip": [Level({"vertical_flip": 1.0}, {"vertical_flip": 0.5}, chance=False)],
    "rotation": [Level({"rotate": degrees}) for degrees in (15.0, 45.0, 180.0)],
    "translation": [Level({"translate": share}) for share in (0.1, 0.25)],
    "brightness": _color("brightness", 0.4, 0.8),
    "contrast": _color("contrast", 0.4, 0.8),
    "saturation": _color("saturation", 0.4, 0.8),
    "hue": _color("hue", 0.1, 0.5),
    "grayscale": [Level({"grayscale": 1.0}, {"grayscale": 0.2}, chance=False)],
    "blur": [
        Level({"blur": 1.0, "blur_sigma": sigma}, {"blur": 0.5, "blur_sigma": sigma})
        for sigma in ((0.1, 1.0), (1.0, 2.0))
    ],
    "cutout": [Level({"cutout": side}) for side in (0.25, 0.5)],
}
OF_COLOR = ("saturation", "hue", "grayscale")  # nothing changes in gray pictures


def ladder(channels: int) -> dict[str, list[Level]]:
    """Without what changes nothing in gray pictures, where there is one channel."""
    return {name: levels for name, levels in LADDER.items() if channels > 1 or name not in OF_COLOR}
