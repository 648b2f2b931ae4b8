"""What can be wrong with the machine; every message names the way out."""

from pathlib import Path


class LocalStackError(Exception):
    """The machine, or a program on it, is not as the local stack needs it."""

    def __init__(self, problem: str, way_out: str) -> None:
        super().__init__(f"{problem}; {way_out}")


class UnsupportedPlatform(LocalStackError):
    """The programs the local stack starts exist for Linux on x86_64 only."""

    def __init__(self, platform: str) -> None:
        super().__init__(
            f"the local stack runs on Linux x86_64, this is {platform}",
            "use `docker compose up --build --wait` instead",
        )


class ProgramsMissing(LocalStackError):
    """The services' own packages are installed, but not those of the local stack."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"the package {package} of the local stack is not installed",
            "run it from a checkout after `make setup`, or use `docker compose up --build --wait`",
        )


class PortBusy(LocalStackError):
    """Another program listens on a port that was asked for."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} on 127.0.0.1 is already in use",
            f"stop the program that has it (`ss -ltnp | grep :{port}` names it) or choose another port",
        )


class DataInUse(LocalStackError):
    """Two stacks must not write to one data folder."""

    def __init__(self, data: Path) -> None:
        super().__init__(f"another local stack is using {data}", "stop that one or choose another data folder")


class DiskFull(LocalStackError):
    """There is less room than the first megabytes need."""

    def __init__(self, folder: Path, needed_mb: int) -> None:
        super().__init__(
            f"the disk that holds {folder} has less than {needed_mb} MB free",
            "make room, or use a folder on another disk (TMPDIR says where temporary ones are)",
        )


class JarsUnreachable(LocalStackError):
    """Kafka's jars are not in the cache and could not be fetched."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(
            f"Kafka's jars could not be downloaded ({type(reason).__name__})",
            "check the network (HTTPS_PROXY if there is a proxy) and run `make setup` again",
        )


class JarDamaged(LocalStackError):
    """What was downloaded is not the file that was locked."""

    def __init__(self, jar: str) -> None:
        super().__init__(
            f"the downloaded {jar} does not have the checksum in kafka.lock and was thrown away",
            "run `make setup` again; if it happens again, a proxy changes downloads or kafka.lock is wrong",
        )


class ProcessFailed(LocalStackError):
    """A program ended, or was not ready, when it should have been; the end of its log follows."""

    def __init__(self, name: str, outcome: str, log_file: Path, tail: str) -> None:
        super().__init__(f"{name} {outcome}", f"see {log_file}, which ends:\n{tail}")
