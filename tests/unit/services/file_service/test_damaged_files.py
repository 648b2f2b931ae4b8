"""Whatever happens to a file on its way, it becomes a text or a failure, never a crash."""

import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from services.file_service.extraction import ExtractionFailed, extract_text

MUTATIONS = 150


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with a few bytes changed, a piece lost, doubled or moved, or its end cut off."""
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        at, length = chance.randrange(len(damaged)), chance.randint(1, 40)
        piece = damaged[at : at + length]
        match chance.randrange(5):
            case 0:
                damaged[at] = chance.randrange(256)
            case 1:
                damaged[at : at + length] = chance.randbytes(length)
            case 2:
                del damaged[at : at + length]
            case 3:
                damaged[at:at] = piece * chance.randint(1, 20)
            case 4:
                damaged = damaged[: max(at, 100)]
    return bytes(damaged)


@pytest.mark.parametrize("kind", ["utf-8", "cp1252", "utf-16", "word", "pdf"])
def test_a_damaged_file_gives_a_text_or_a_failure(
    kind: str, essay: str, word_file: Callable[..., bytes], pdf_file: Callable[..., bytes]
) -> None:
    whole = {"word": word_file, "pdf": pdf_file}[kind](essay) if kind in {"word", "pdf"} else essay.encode(kind)
    chance = random.Random(kind)  # noqa: S311  # Repeatable damage, not a secret.
    for _ in range(MUTATIONS):
        with suppress(ExtractionFailed):
            text = extract_text(mutated(whole, chance))
            text.encode()
            assert "\0" not in text
