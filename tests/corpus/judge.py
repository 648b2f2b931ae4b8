"""Reads malformed files as the service does, in its sandbox, and says what became of each and what it cost."""

import io
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.file_service.archives import ArchiveRefused, members
from services.file_service.extraction import ExtractionFailed, essay_text
from services.file_service.extractor import Extractor
from tests.corpus.damage import mutated
from tests.corpus.traps import traps
from tests.corpus.wholes import WHOLE

SECONDS, MEGABYTES = 2.0, 300


@dataclass(frozen=True)
class Verdict:
    """What became of one file; `name` and the seed make it again."""

    name: str
    outcome: str
    seconds: float = 0.0
    """Of the processor's time."""
    megabytes: float = 0.0
    """The most its reader had in memory."""

    @property
    def kind(self) -> str:
        """The kind of file, or "traps"."""
        return self.name.split(":")[0]

    @property
    def is_allowed(self) -> bool:
        """Whether the service would have said something, in time and within its memory."""
        return not self.outcome.startswith("bug") and self.seconds <= SECONDS and self.megabytes <= MEGABYTES


def corpus(seed: int, of_each_kind: int) -> Iterator[tuple[str, bytes]]:
    """Malformed files and their names."""
    for kind, whole in WHOLE.items():
        for number in range(of_each_kind):
            yield f"{kind}: {number}", mutated(whole, random.Random(f"{seed} {kind} {number}"))  # noqa: S311  # Repeatable.


def all_traps() -> Iterator[tuple[str, bytes]]:
    """Files that are made to hurt, and their names."""
    yield from ((f"traps: {name}", data) for name, data in traps())


async def verdicts(files: Iterator[tuple[str, bytes]]) -> AsyncIterator[Verdict]:
    """One for each file."""
    extractor = Extractor(workers=1, seconds=SECONDS, memory=MEGABYTES * 1_000_000, extract=_measured, patience=30)
    try:
        for name, data in files:
            yield await _verdict(extractor, name, data)
    finally:
        await extractor.close()


async def _verdict(extractor: Extractor, name: str, data: bytes) -> Verdict:
    try:
        return Verdict(name, **json.loads(await extractor.extract(data)))
    except ExtractionFailed as failed:  # Not by the file's reader: by the sandbox.
        return Verdict(name, f"{failed.code}, {failed.detail.split('.')[0].removeprefix('Reading this file ')}")
    except Exception as bug:  # This is what the corpus looks for.
        return Verdict(name, f"bug: {bug!r}"[:200])


def _measured(data: bytes) -> str:
    """Runs in the sandbox: what the service would say of a file, and what it cost to find out."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # The peak of memory begins anew.
    began = time.process_time()
    outcome = _outcome(data)
    seconds = time.process_time() - began
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1_000
    return json.dumps({"outcome": outcome, "seconds": seconds, "megabytes": peak})


def _outcome(data: bytes) -> str:
    try:
        found = members(io.BytesIO(data), "corpus.zip")
        for member in found or []:
            for _ in member.chunks():
                pass
        if found is not None:
            return "archive taken"
        return "text" if essay_text(data) else "bug: no text and no failure"
    except ArchiveRefused:
        return "archive refused"
    except ExtractionFailed as failed:
        return failed.code.value
