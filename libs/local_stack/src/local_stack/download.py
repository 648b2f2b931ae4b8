"""`python -m local_stack.download` fills the user's cache with what Kafka needs; `--lock` writes kafka.lock anew."""

import os
import sys
import tempfile
from pathlib import Path

from local_stack.errors import LocalStackError
from local_stack.kafka import keep_loaded_classes
from local_stack.kafka_jars import KAFKA, LOCK_FILE, kafka_jars
from local_stack.programs import java

# Kafka's own choice of a log writer is not among what it depends on; without one it would die in silence.
_COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA}+org.slf4j:slf4j-simple:1.7.36"


def download() -> None:
    kafka_jars(progress=_show if sys.stdout.isatty() else lambda _have, _of: None)
    keep_loaded_classes()


def write_lock() -> None:
    import jgo  # noqa: PLC0415 - slow to import, and seldom needed

    os.environ["PATH"] = f"{java().parent}:{os.environ['PATH']}"  # Else jgo fetches a Java of its own.
    with tempfile.TemporaryDirectory() as scratch:
        lock_file = jgo.build(_COORDINATES, cache_dir=Path(scratch)).lockfile
        if lock_file is None:
            raise LocalStackError("jgo resolved Kafka without a lock file", "try another version of jgo")
        lines = [f"{d.groupId}:{d.artifactId}:{d.version} sha256:{d.sha256}\n" for d in lock_file.dependencies]
    LOCK_FILE.write_text("".join(sorted(lines)))


def _show(have: int, of: int) -> None:
    sys.stdout.write(f"\r  {have} of {of} jars" + ("\n" if have == of else ""))
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        write_lock() if "--lock" in sys.argv else download()
    except LocalStackError as error:
        sys.exit(str(error))
