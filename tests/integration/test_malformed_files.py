"""Malformed files of every kind become a text or a failure with a reason; `make corpus` tries thousands, and traps."""

from tests.corpus.judge import corpus, verdicts

OF_EACH_KIND = 11


async def test_a_hundred_malformed_files_do_no_harm() -> None:
    found = [verdict async for verdict in verdicts(corpus(1, OF_EACH_KIND))]

    assert len(found) == 9 * OF_EACH_KIND
    assert [verdict for verdict in found if not verdict.is_allowed] == []
    assert {verdict.outcome for verdict in found} >= {"text", "text_extraction_failed", "archive refused"}
