"""Prepares this checkout: a virtual environment with the locked packages, and Kafka's jars.

`make setup` runs it. It needs nothing but Python; an old one (3.6 and up) can at least read it, and so is told that it
is too old.
"""

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

if sys.version_info < (3, 12):  # noqa: UP036 - what this check is for
    this = platform.python_version()
    sys.exit(
        f"Scriptorium needs Python 3.12 or newer, this is {this}; install one and name it: make PYTHON=/path/to/it"
    )

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
READY = VENV / ".ready"
CACHE = ROOT / ".cache"
LOG = CACHE / "setup.log"
NEEDED_MB = 1000
INPUTS = ("requirements/dev.txt", "pyproject.toml", "scripts/setup.py", "libs/local_stack/src/local_stack/kafka.lock")
PIP = (PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--retries", "2")
DIAGNOSES = (
    (("No space left on device",), "the disk is full; make room"),
    (
        ("DO NOT MATCH THE HASHES",),
        "a package is not the one that was locked; see which, and whether a proxy changes it",
    ),
    (
        ("Connection", "name resolution", "No matching distribution", "timed out", "ProxyError", "SSLError"),
        "the packages cannot be reached; check the network (HTTPS_PROXY if there is a proxy)",
    ),
)


def main() -> None:
    """Does what is missing, then leaves a note of what it was done for; does nothing when the note still fits."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make demo` and `make test` may be started at the same time.
        if READY.exists() and READY.read_text() == fingerprint():
            READY.touch()
            return
        require_machine()
        LOG.unlink(missing_ok=True)
        prepare()
        READY.write_text(fingerprint())


def fingerprint() -> str:
    parts = [(ROOT / name).read_bytes() for name in INPUTS]
    return hashlib.sha256(b"\0".join([str(ROOT).encode(), *parts])).hexdigest()


def require_machine() -> None:
    """Ends with one sentence if this machine cannot run it."""
    system = f"{platform.system()} {platform.machine()}"
    if system != "Linux x86_64":
        sys.exit(f"The local set-up is for Linux x86_64, this is {system}; use `docker compose up --build --wait`.")
    if not VENV.exists() and shutil.disk_usage(ROOT).free < NEEDED_MB * 1_000_000:
        sys.exit(
            f"The disk that holds {ROOT} has less than {NEEDED_MB} MB free; make room, then run `make setup` again."
        )
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"This Python cannot make virtual environments; on Debian and Ubuntu: sudo apt install python{version}-venv"
        )


def prepare() -> None:
    if not venv_runs():
        step("virtual environment", sys.executable, "-m", "venv", "--clear", VENV)
    locked = ("--require-hashes", "--requirement", ROOT / "requirements" / "dev.txt")
    step("locked packages (the longest step)", *PIP, *locked)
    step("scriptorium itself", *PIP, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    step("Kafka's jars and classes", PYTHON, "-m", "local_stack.download")


def venv_runs() -> bool:
    """Whether there is a virtual environment of this Python; it is then brought up to date, also while it is in use."""
    if not PYTHON.exists():
        return False
    question = (PYTHON, "-c", "import pip, sys; print(*sys.version_info[:2])")
    answer = subprocess.run(question, capture_output=True, text=True, check=False).stdout  # noqa: S603 - ours
    return answer.split() == [str(part) for part in sys.version_info[:2]]


def step(title: str, *command: "str | Path") -> None:
    """Runs one command with its output in the log; ends with the way out if it fails."""
    started = time.monotonic()
    say(f"setup: {title} … ")
    with LOG.open("ab") as log:
        start_of_step = log.tell()
        status = subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 - ours
    if status != 0:
        say("failed\n")
        output = LOG.read_bytes()[start_of_step:].decode(errors="replace")
        sys.exit(
            f"Setting up failed: {diagnosis(output)}, then run `make setup` again (its log: {os.path.relpath(LOG)})."
        )
    say(f"{time.monotonic() - started:.0f} s\n")


def diagnosis(output: str) -> str:
    for signs, sentence in DIAGNOSES:
        if any(sign in output for sign in signs):
            return sentence
    return "mend what it says here\n" + "\n".join(f"  {line:.200}" for line in output.splitlines()[-12:]) + "\n"


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
