"""What a WAV file's header says, against what is there: cut files, lengths that lie, numbers that contradict."""

from dataclasses import dataclass

from components.datasets.records import Unreadable

OPEN = 0x7FFF_0000  # a length from here on says that whoever wrote it did not know
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


@dataclass(frozen=True)
class Checked:
    """The file as a decoder should see it, and names of what is odd, as in `decode.LOSSES`."""

    content: bytes
    lost: tuple[str, ...] = ()


def is_wave(content: bytes) -> bool:
    """Whether these are a WAV file's first bytes; the long kind (RF64) keeps its lengths elsewhere."""
    return content[:4] == b"RIFF" and content[8:12] == b"WAVE"


def check_wave(content: bytes) -> Checked:
    """Raises Unreadable for a file that was cut off and for one without a format or sound."""
    form: bytes | None = None
    place = 12
    while place + 8 <= len(content):
        name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        if name == b"fmt ":
            form = content[place + 8 : place + 8 + size]
        if name == b"data":
            if form is None or len(form) < 16:
                raise Unreadable("a WAV file whose header does not say how its sound is written: save it anew.")
            return _checked(content, place, size, form)
        place += 8 + size + size % 2
    raise Unreadable("a WAV file without sound in it: copy it again.")


def _checked(content: bytes, place: int, said: int, form: bytes) -> Checked:
    kind, channels, rate, a_second, frame, bits = (
        int.from_bytes(form[start : start + size], "little")
        for start, size in ((0, 2), (2, 2), (4, 4), (8, 4), (12, 2), (14, 2))
    )
    if not channels or not rate:
        raise Unreadable(f"a WAV file whose header says {channels} channels and {rate} samples a second: save it anew.")
    lost = []
    if kind in (PCM, FLOAT, EXTENSIBLE):
        if frame != channels * -(-bits // 8):
            raise Unreadable(
                f"a header that contradicts itself: {channels} samples of {bits} bits at once, and {frame} bytes for "
                "them: save it anew."
            )
        if a_second != rate * frame:
            lost.append("header")
    there = len(content) - place - 8
    if said == 0 or said >= OPEN:
        if not there:
            raise Unreadable("a WAV file without sound in it: copy it again.")
        whole = min(there, 2**32 - 1)
        content = content[: place + 4] + whole.to_bytes(4, "little") + content[place + 8 :]
        return Checked(content, (*lost, "length"))
    if said > there:
        raise Unreadable(f"cut off: its header says {said:,} bytes of sound, and {there:,} are there: copy it again.")
    if not _only_parts(content, place + 8 + said + said % 2):
        lost.append("length")
    return Checked(content, tuple(lost))


def _only_parts(content: bytes, place: int) -> bool:
    """Whether what is behind the sound are parts with names and lengths, or a few bytes of nothing."""
    while place + 8 <= len(content):
        name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        if not content[place:].strip(b"\0"):
            return True
        if not (name.isascii() and name.decode("ascii").isprintable()) or place + 8 + size > len(content) + 1:
            return name[:3] == b"TAG"  # an old MP3 label
        place += 8 + size + size % 2
    return True
