"""What can happen to a file on its way, and what somebody may do to it on purpose; all of it seeded."""

import io
import random
import re
import zipfile
from collections.abc import Callable

from tests.corpus.wholes import WHOLE
from tests.integration.documents import archive

NUMBER = re.compile(rb"(?<=[\s\[\\<a-z\"])-?\d{1,9}(?=[\s\]\\>/\"])")
HUGE = (b"0", b"-1", b"65536", b"2147483648", b"99999999999", b"9" * 400, b"1e308", b"4294967295 0 R")
TOKENS = (
    b"{",
    b"}",
    b"[",
    b"<<",
    b"(",
    b"<text:p>",
    b"<w:p>",
    b"\\par",
    b"\\'",
    b"\\u-1?",
    b"&a;",
    b" 0 R",
    b"\0",
    b"q ",
)

type Mutation = Callable[[bytes, random.Random], bytes]


def bits(data: bytes, chance: random.Random) -> bytes:
    """Some bits are turned over."""
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 30)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def truncation(data: bytes, chance: random.Random) -> bytes:
    """The end is missing."""
    return data[: chance.randrange(len(data))]


def pieces(data: bytes, chance: random.Random) -> bytes:
    """Pieces are lost, doubled, moved or overwritten."""
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at, length = chance.randrange(len(damaged)), chance.randint(1, 200)
        piece = damaged[at : at + length]
        to = chance.randrange(len(damaged))
        match chance.randrange(4):
            case 0:
                del damaged[at : at + min(length, len(damaged) - 1)]
            case 1:
                damaged[at:at] = piece * chance.randint(1, 50)
            case 2:
                damaged[to : to + len(piece)] = piece
            case 3:
                damaged[at : at + length] = chance.randbytes(length)
    return bytes(damaged)


def splice(data: bytes, chance: random.Random) -> bytes:
    """It goes on as another file."""
    other = WHOLE[chance.choice(list(WHOLE))]
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]


def numbers(data: bytes, chance: random.Random) -> bytes:
    """Lengths, places and counts are huge or less than nothing."""
    share = chance.choice((0.01, 0.1, 1.0))
    return NUMBER.sub(lambda found: chance.choice(HUGE) if chance.random() < share else found[0], data)


def repetition(data: bytes, chance: random.Random) -> bytes:
    """One sign stands there thousands of times."""
    at = chance.randrange(len(data))
    return data[:at] + chance.choice(TOKENS) * chance.choice((300, 10_000, 300_000)) + data[at:]


def inside(data: bytes, chance: random.Random) -> bytes:
    """What is packed in the file is damaged, and the package is in order."""
    if not data.startswith(b"PK"):
        return chance.choice((bits, pieces, numbers))(data, chance)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        parts = {name: opened.read(name) for name in opened.namelist()}
    name = chance.choice([name for name in parts if parts[name]])
    parts[name] = chance.choice((bits, truncation, pieces, splice, numbers, repetition))(parts[name], chance)
    return archive(parts)


def encoding(data: bytes, chance: random.Random) -> bytes:
    """A program took the bytes for another encoding and saved them so."""
    taken, saved = chance.choice(("latin-1", "cp1252", "mac_roman", "utf-16-le")), chance.choice(("utf-8", "utf-16"))
    return data.decode(taken, errors="replace").encode(saved, errors="replace")


MUTATIONS: tuple[Mutation, ...] = (bits, truncation, pieces, splice, numbers, repetition, inside, inside, encoding)


def mutated(whole: bytes, chance: random.Random) -> bytes:
    """`whole` after something happened to it."""
    return chance.choice(MUTATIONS)(whole, chance)
