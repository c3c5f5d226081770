"""Ways to damage a file, by a generator with a seed: what disks and networks do to it, and what someone may write on purpose."""

import io
import random
import re
import zipfile

ABSURD = (0, 1, -1, 1 << 31, (1 << 32) - 1, 1 << 60, (1 << 64) - 1, 1 << 100)


def damaged(content: bytes, generator: random.Random) -> bytes:
    """*content* cut short, with bits, bytes and numbers changed, or with parts that are gone, there twice, or 0."""
    data = bytearray(content)
    for _ in range(generator.choice([1, 1, 2, 3])):
        place, size = generator.randrange(len(data) + 1), generator.choice([1, 2, 4, 8, 8, 40])
        piece = data[place : place + size]
        number = generator.choice(ABSURD)
        match generator.choice(["cut", "bit", "bytes", "gone", "twice", "zero", "integer", "number"]):
            case "cut":
                del data[place:]
            case "bit" if piece:
                data[place] ^= 1 << generator.randrange(8)
            case "bytes":
                data[place : place + size] = generator.randbytes(len(piece))
            case "gone":
                del data[place : place + size]
            case "twice":
                data[place:place] = piece
            case "zero":
                data[place : place + size] = bytes(len(piece))
            case "integer":
                data[place : place + size] = (number % (1 << 8 * size)).to_bytes(size, "little")
            case "number":
                data = bytearray(_renumbered(bytes(data), place, number))
    return bytes(data) if data != content else damaged(content, generator)


def _renumbered(content: bytes, place: int, number: int) -> bytes:
    """*content* with *number* for the first decimal one after *place*; spaces that follow make room, as in the header of an array."""
    found = re.compile(rb"\d+").search(content, place)
    if not found:
        return content
    text = hex(number).encode() if number > 1 << 64 else str(number).encode()
    more, after = len(text) - len(found[0]), content[found.end() :]
    return content[: found.start()] + text + (after.replace(b" " * more, b"", 1) if more > 0 else after)


def forged(content: bytes, generator: random.Random) -> bytes:
    """An archive whose own checksums are right, of an array *content* that is damaged, and that claims to be of any size."""
    buffer = io.BytesIO()
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    with zipfile.ZipFile(buffer, "w", generator.choice(methods)) as archive:
        archive.writestr("w.npy", damaged(content, generator))
        for claim in ("file_size", "compress_size", "header_offset"):
            if generator.random() < 0.3:
                setattr(archive.infolist()[0], claim, abs(generator.choice(ABSURD[:-2])))
    return buffer.getvalue()


def large(content: bytes, generator: random.Random) -> bytes:
    """An archive of an array *content* that claims, everywhere alike, to have as many weights as a model may have."""
    shape = f"({1 << generator.randrange(20, 29)}, 1), }}".encode()
    claimed = re.sub(rb"\(.*\), }( *)", lambda found: shape.ljust(len(found[0])), content)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", generator.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        archive.writestr("w.npy", claimed)
        archive.infolist()[0].file_size = 1 << 31
    return buffer.getvalue()
