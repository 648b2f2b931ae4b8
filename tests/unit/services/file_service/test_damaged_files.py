"""Whatever happens to a file on its way, it becomes a text or a failure, never a crash."""

import random
from contextlib import suppress

import pytest

from services.file_service.extraction import ExtractionFailed, extract_text
from tests.corpus.damage import bits, inside, pieces, splice, truncation
from tests.corpus.wholes import WHOLE

OF_EACH_KIND = 100
CHEAP = (bits, truncation, pieces, splice, inside)


@pytest.mark.parametrize("kind", WHOLE)
def test_a_damaged_file_gives_a_text_or_a_failure(kind: str) -> None:
    chance = random.Random(kind)  # noqa: S311  # Repeatable damage, not a secret.
    for _ in range(OF_EACH_KIND):
        with suppress(ExtractionFailed):
            text = extract_text(chance.choice(CHEAP)(WHOLE[kind], chance))
            text.encode()
            assert "\0" not in text
