"""A logo is what its bytes say, never what its name says; a document in a picture's clothes is refused."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messages.pictures import LARGEST, Picture, PictureRefused, look_at


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\0" * 3 * width for _ in range(min(height, 8))))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + b"\1\1\0\0\1\0\1\0\0"
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\0" * 9
    return b"\xff\xd8" + app0 + frame + b"\xff\xd9"


def webp(form: bytes, body: bytes) -> bytes:
    content = b"WEBP" + form + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(content)) + content


def webp_lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0" * 8)


def webp_lossless(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0" * 8)


def webp_extended(width: int, height: int) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp(b"VP8X", b"\0\0\0\0" + sizes + b"\0" * 8)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (png(320, 64), Picture("image/png", 320, 64)),
        (jpeg(300, 90), Picture("image/jpeg", 300, 90)),
        (webp_lossy(120, 40), Picture("image/webp", 120, 40)),
        (webp_lossless(121, 41), Picture("image/webp", 121, 41)),
        (webp_extended(122, 42), Picture("image/webp", 122, 42)),
    ],
)
def test_pictures_of_the_three_kinds_are_known_with_their_size(content: bytes, found: Picture) -> None:
    assert look_at(content) == found


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + b"\0" * 40,
        png(120, 40).replace(b"IDAT", b"tEXt"),
        b"\x89PNG\r\n\x1a\n" + b"<svg/>",
        b"\xff\xd8\xff<html>",
        png(5000, 10),
        png(0, 10),
        png(10, 10) + b"\0" * LARGEST,
    ],
    ids=[
        "nothing",
        "svg",
        "gif",
        "png without pixels",
        "png by its first bytes",
        "jpeg by its first bytes",
        "huge",
        "empty",
        "heavy",
    ],
)
def test_everything_else_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(PictureRefused) as refused:
        look_at(content)
    assert str(refused.value).endswith((".", "first."))


@given(st.sampled_from([b"", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8 ", b"\x89PNG\r\n\x1a\n"]), st.binary(max_size=200))
def test_no_bytes_break_the_look(start: bytes, rest: bytes) -> None:
    try:
        found = look_at(start + rest)
    except PictureRefused:
        return
    assert found.width > 0 and found.height > 0  # noqa: PT018
