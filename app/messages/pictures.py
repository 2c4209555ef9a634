"""What kind of picture some bytes are, and how large, read from the file itself and never from its name.

PNG, JPEG and WebP only: every one of them is mere pixels, whereas an SVG is a document that can carry scripts. Looks at
the headers (ISO 15948 for PNG, ITU T.81 annex B for JPEG, RFC 9649 for WebP) and decodes nothing.
"""

from dataclasses import dataclass

from app.errors import RecoupError

LARGEST = 200 * 1024
MOST_PIXELS = 4000
# Frames of a JPEG that carry its size: baseline, extended, progressive and so on, without tables (C4, C8, CC).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class PictureRefused(RecoupError):
    """No picture that a mail may show; the text says what to bring instead."""


@dataclass(frozen=True)
class Picture:
    """A picture's media type and its size in pixels."""

    media_type: str
    width: int
    height: int


def look_at(content: bytes) -> Picture:
    """What `content` is. Raises `PictureRefused`."""
    if not content:
        raise PictureRefused("Choose a file first.")
    if len(content) > LARGEST:
        raise PictureRefused(f"The file has {-(-len(content) // 1024)} kB; 200 kB are the most. Save it smaller.")
    found = _png(content) or _jpeg(content) or _webp(content)
    if found is None:
        raise PictureRefused("This is no PNG, JPEG or WebP picture. A drawing (SVG) has to be saved as a PNG first.")
    if not (0 < found.width <= MOST_PIXELS and 0 < found.height <= MOST_PIXELS):
        raise PictureRefused(f"The picture is {found.width} by {found.height} pixels; {MOST_PIXELS} are the most.")
    return found


def _png(content: bytes) -> Picture | None:
    is_png = content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR" and b"IEND" in content[-16:]
    has_pixels = b"IDAT" in content
    return Picture("image/png", _big(content[16:20]), _big(content[20:24])) if is_png and has_pixels else None


def _jpeg(content: bytes) -> Picture | None:
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], _big(content[place + 2 : place + 4])
        if marker in _JPEG_FRAMES:
            return Picture("image/jpeg", _big(content[place + 7 : place + 9]), _big(content[place + 5 : place + 7]))
        place += 1 if marker == 0xFF else 2 + length  # any marker may be padded with 0xFF
    return None


def _webp(content: bytes) -> Picture | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) < 30:
        return None
    sizes = {b"VP8X": _webp_extended, b"VP8L": _webp_lossless, b"VP8 ": _webp_lossy}
    read = sizes.get(content[12:16])
    return Picture("image/webp", *read(content)) if read else None


def _webp_extended(content: bytes) -> tuple[int, int]:
    return _little(content[24:27]) + 1, _little(content[27:30]) + 1


def _webp_lossless(content: bytes) -> tuple[int, int]:
    bits = _little(content[21:25])
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _webp_lossy(content: bytes) -> tuple[int, int]:
    return _little(content[26:28]) & 0x3FFF, _little(content[28:30]) & 0x3FFF


def _big(part: bytes) -> int:
    return int.from_bytes(part, "big")


def _little(part: bytes) -> int:
    return int.from_bytes(part, "little")
