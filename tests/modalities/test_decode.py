"""Decoding: every format and mode has a defined outcome, and whatever is broken is a reason, never a crash."""

import io
import resource
import subprocess
import sys
import zlib
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image

from components.modalities.image.decode import FORMATS, Unreadable, decode
from components.modalities.image.fitting import Preparation


def encoded(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def read(content, channels=3, image_size=16, how=MappingProxyType({}), **options):
    return decode(content, Preparation(image_size, channels, **how), **options)


def scene(side=64):
    """Left half dark, right half bright, with some texture, RGB."""
    pixels = np.full((side, side, 3), 40, np.uint8)
    pixels[:, side // 2 :] = 200
    pixels += np.random.default_rng(0).integers(0, 20, pixels.shape, np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_format_becomes_uint8_of_the_asked_shape(format, channels):
    picture = read(encoded(scene(), format), channels)
    assert picture.pixels.shape == (channels, 16, 16)
    assert picture.pixels.dtype == np.uint8
    assert (picture.width, picture.height, picture.mode) == (64, 64, "RGB")
    assert picture.pixels[:, :, :6].mean() < 70 < 180 < picture.pixels[:, :, 10:].mean()


def test_the_middle_is_kept_and_the_shorter_side_fits():
    wide = np.zeros((20, 60), np.uint8)
    wide[:, 20:40] = 255
    assert (read(wide, 1).pixels > 200).mean() > 0.9


def test_an_array_of_the_asked_size_is_taken_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    assert np.array_equal(read(pixels).pixels, pixels.transpose(2, 0, 1))


def test_sixteen_bit_gray_is_scaled_not_clipped():
    levels = np.tile(np.linspace(0, 65535, 16).astype(np.uint16), (16, 1))
    picture = read(encoded(Image.fromarray(levels)), 1)
    assert picture.mode == "I;16"
    assert np.abs(picture.pixels[0, 0].astype(int) - np.linspace(0, 255, 16)).max() <= 1


def test_transparency_is_laid_on_white():
    clear = Image.new("RGBA", (16, 16), (200, 0, 0, 0))
    half = Image.new("RGBA", (16, 16), (0, 0, 0, 128))
    palette = Image.new("P", (16, 16), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert (read(encoded(clear)).pixels == 255).all()
    assert np.abs(read(encoded(half)).pixels.astype(int) - 127).max() <= 1
    assert (read(encoded(palette, transparency=1)).pixels == 255).all()
    assert (read(encoded(palette)).pixels[:, 0, 0] == [10, 20, 30]).all()


def test_cmyk_and_one_bit_keep_their_meaning():
    cyan = read(encoded(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), "JPEG"))
    assert cyan.mode == "CMYK"
    assert cyan.pixels[0].max() < 30 < 200 < cyan.pixels[1:].min()
    assert (read(encoded(Image.new("1", (16, 16), 1)), 1).pixels == 255).all()


def test_exif_rotation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90 degrees clockwise
    picture = read(encoded(scene().resize((64, 48)), "JPEG", exif=exif), 1)
    assert (picture.width, picture.height) == (48, 64)
    assert picture.pixels[0, :5].mean() < 80 < 170 < picture.pixels[0, 11:].mean()


def test_of_an_animation_the_first_frame_counts():
    first, second = Image.new("RGB", (16, 16), "black"), Image.new("RGB", (16, 16), "white")
    for format in ("WEBP", "PNG"):
        content = encoded(first, format, save_all=True, append_images=[second], duration=10)
        assert read(content).pixels.max() < 10


def test_a_large_jpeg_read_at_a_fraction_looks_the_same():
    content = encoded(scene(1024).resize((1024, 1024)), "JPEG", quality=95)
    whole = Image.open(io.BytesIO(content)).resize((16, 16), Image.Resampling.BICUBIC)
    difference = read(content).pixels.astype(int) - np.asarray(whole).transpose(2, 0, 1)
    assert np.abs(difference).mean() < 2


@pytest.mark.parametrize("format", FORMATS)
def test_a_cut_file_is_found(format):
    content = encoded(scene(), format)
    with pytest.raises(Unreadable, match="damaged"):
        read(content[: len(content) // 2])


def test_a_png_with_a_bad_checksum_is_found():
    content = bytearray(encoded(scene()))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(Unreadable, match="damaged"):
        read(bytes(content))


def outcome(content):
    try:
        return read(content).pixels.shape
    except Unreadable as error:
        return str(error) if " at 0x" in str(error) else "a reason"


@pytest.mark.parametrize("format", FORMATS)
def test_flipped_bytes_end_in_pixels_or_a_reason(format):
    import warnings

    whole, generator = encoded(scene(32), format), np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about odd metadata
        for _ in range(150):
            content = bytearray(whole)
            for place in generator.integers(0, min(len(content), 400), 3):
                content[place] = generator.integers(256)
            assert outcome(bytes(content)) in ((3, 16, 16), "a reason")


@pytest.mark.parametrize("content", [b"<html><body>no such page</body></html>", b"plain text", b"\x00" * 50])
def test_what_is_no_picture_is_said(content):
    with pytest.raises(Unreadable, match="not a picture"):
        read(content)


def test_an_empty_file_is_said():
    with pytest.raises(Unreadable, match="zero bytes"):
        read(b"")


@pytest.mark.parametrize("size", [(1, 1), (600, 2)])
def test_a_sliver_is_no_picture(size):
    with pytest.raises(Unreadable, match=f"{size[0]}x{size[1]} pixels: a side shorter than 8"):
        read(encoded(Image.new("RGB", size)))


def test_the_pixel_budget_counts():
    with pytest.raises(Unreadable, match="more than the 4,095"):
        read(encoded(scene()), max_pixels=64 * 64 - 1)
    assert read(encoded(scene()), max_pixels=64 * 64).width == 64


def test_a_bomb_is_refused_before_memory_is_taken(tmp_path):
    """30,000 x 30,000 black pixels in about 110 kB would be 900 MB."""
    side, row = 30_000, bytes(1 + 30_000 // 8)
    packer, chunks = zlib.compressobj(), []
    chunks = [packer.compress(row) for _ in range(side)] + [packer.flush()]

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", b"".join(chunks)), chunk(b"IEND", b"")]
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    said, megabytes = decode_in_little_memory(tmp_path / "bomb.png")
    assert "30000x30000 pixels are more than" in said
    assert megabytes < 20


def decode_in_little_memory(path):
    """What decoding says in a process that may take 700 MB of addresses, and the megabytes it took while it did."""
    program = (
        "import sys, pathlib, re\n"
        "from components.modalities.image.decode import decode, Unreadable\n"
        "from components.modalities.image.fitting import Preparation\n"
        "from PIL import Image; Image.init()\n"
        "def peak(): return int(re.search('VmHWM:\\\\s+(\\\\d+)', pathlib.Path('/proc/self/status').read_text())[1])\n"
        "before = peak()\n"
        "try: decode(pathlib.Path(sys.argv[1]).read_bytes(), Preparation(32, 1))\n"
        "except Unreadable as error: print(error)\n"
        "print(peak() - before)\n"
    )
    limit = 700 * 2**20
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert run.returncode == 0, run.stderr
    *said, kilobytes = run.stdout.splitlines()
    return "\n".join(said), int(kilobytes) / 1024


def fits_bomb():
    cards = ["SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    2"]
    cards += ["NAXIS1  =                60000", "NAXIS2  =                60000", "END"]
    return "".join(card.ljust(80) for card in cards).encode().ljust(2880) + bytes(2880)


OTHER_BOMBS = {
    "fits": fits_bomb(),
    "gd": b"\xff\xfe" + (60000).to_bytes(2, "big") * 2 + bytes(2000),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 60000 60000\n%%EndComments\nshowpage\n",
    "xbm": b"#define a_width 60000\n#define a_height 60000\nstatic char a_bits[] = {0};\n",
    "ppm": b"P6 60000 60000 255\n" + bytes(100),
    "sgi": b"\x01\xda\x00\x01\x00\x03" + (60000).to_bytes(2, "big") * 2 + bytes(500),
}


@pytest.mark.parametrize("kind", OTHER_BOMBS)
def test_a_bomb_of_another_format_named_jpg_is_not_even_opened(tmp_path, kind):
    (tmp_path / "a.jpg").write_bytes(OTHER_BOMBS[kind])
    said, megabytes = decode_in_little_memory(tmp_path / "a.jpg")
    assert "not a picture" in said or "not read" in said
    assert megabytes < 20
