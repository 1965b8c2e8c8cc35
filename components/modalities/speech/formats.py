"""Kinds of sound files that are not read, by their first bytes."""

_KINDS = (
    (4, b"ftyp", "an M4A or MP4 file"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a WMA file"),
    (0, b"#!AMR", "an AMR file"),
    (0, b"\x1aE\xdf\xa3", "a WebM or Matroska file"),
    (0, b"MThd", "a MIDI file"),
)


def unread_format(head: bytes) -> str:
    """A sentence with the cure, or nothing."""
    for place, mark, name in _KINDS:
        if head[place : place + len(mark)] == mark:
            return f"{name}, which is not read: save it as WAV or FLAC."
    return ""
