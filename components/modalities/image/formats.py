"""Picture formats that are not read, by the bytes they begin with, and what each is to be converted to."""

_CONVERT = "convert it to JPEG or PNG"
_FRAMES = "take pictures out of it (`ffmpeg -i FILE -r 1 FILE-%04d.png`)"
_UNPACK = "unpack it here"
_MAGIC = (  # where, bytes, name, cure
    (0, b"GIF8", "GIF", _CONVERT),
    (0, b"8BPS", "Photoshop", _CONVERT),
    (0, b"%PDF", "PDF", "take pictures out of it (`pdftoppm -png FILE FILE`)"),
    (0, b"%!PS", "PostScript", _CONVERT),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript", _CONVERT),
    (0, b"\x00\x00\x00\x0cjP  ", "JPEG 2000", _CONVERT),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000", _CONVERT),
    (0, b"\x00\x00\x00\x0cJXL ", "JPEG XL", _CONVERT),
    (0, b"\xff\x0a", "JPEG XL", _CONVERT),
    (0, b"\x00\x00\x01\x00", "Windows icon", _CONVERT),
    (0, b"icns", "Apple icon", _CONVERT),
    (0, b"\x76\x2f\x31\x01", "OpenEXR", _CONVERT),
    (0, b"#?RADIANCE", "Radiance HDR", _CONVERT),
    (0, b"DDS ", "DirectDraw", _CONVERT),
    (0, b"SIMPLE  =", "FITS", _CONVERT),
    (0, b"\xd7\xcd\xc6\x9a", "Windows metafile", _CONVERT),
    (128, b"DICM", "DICOM", _CONVERT),
    (0, b"IIU\x00", "camera raw", _CONVERT),
    (0, b"IIRO", "camera raw", _CONVERT),
    (0, b"IIRS", "camera raw", _CONVERT),
    (0, b"MMOR", "camera raw", _CONVERT),
    (0, b"FUJIFILMCCD-RAW", "camera raw", _CONVERT),
    (0, b"FOVb", "camera raw", _CONVERT),
    (0, b"\x00MRM", "camera raw", _CONVERT),
    (8, b"CR\x02", "camera raw", _CONVERT),
    (8, b"AVI ", "video", _FRAMES),
    (0, b"\x1a\x45\xdf\xa3", "video", _FRAMES),
    (0, b"\x00\x00\x01\xba", "video", _FRAMES),
    (0, b"\x00\x00\x01\xb3", "video", _FRAMES),
    (0, b"FLV\x01", "video", _FRAMES),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video", _FRAMES),
    (0, b"PK\x03\x04", "archive", _UNPACK),
    (0, b"Rar!", "archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "archive", _UNPACK),
    (0, b"\x1f\x8b", "archive", _UNPACK),
    (257, b"ustar", "archive", _UNPACK),
)
_HEIF, _AVIF, _CANON = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), (b"avif", b"avis"), b"crx "
HEAD = 4096  # bytes that tell


def unread_format(content: bytes) -> str:
    """Name and cure of a known format that is not read, as a sentence; or nothing. `content`: its first bytes do."""
    head = content[:HEAD]
    for where, magic, name, cure in _MAGIC:
        if head.startswith(magic, where):
            return _said(name, cure)
    if head[4:8] == b"ftyp":
        return _boxed(head)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in text:
        return _said("SVG", _CONVERT)
    if head[:1] == b"P" and head[1:2] in b"1234567fF" and head[2:3].isspace():
        return _said("Netpbm", _CONVERT)
    return ""


def _boxed(head: bytes) -> str:
    """Formats of ISO boxes say by brands what they are: the first is the file's own, others it also fits."""
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, min(int.from_bytes(head[:4]), 64), 4))]
    if any(brand in _AVIF for brand in brands):
        return _said("AVIF", _CONVERT)
    if any(brand in _HEIF for brand in brands):
        return _said("HEIC", _CONVERT)
    return _said("camera raw", _CONVERT) if _CANON in brands else _said("video", _FRAMES)


def _said(name: str, cure: str) -> str:
    return f"{name} is a format that is not read: {cure}."
