"""What can go wrong for whoever uses the command; every message names the way out."""

from collections.abc import Sequence
from pathlib import Path


class CommandFailed(Exception):
    """The command could not do what was asked."""

    def __init__(self, problem: str, way_out: str) -> None:
        super().__init__(f"{problem}; {way_out}")


class Misconfigured(CommandFailed):
    """A variable is missing or wrong."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(
            f"{variable} {problem}",
            "set it, or name the file that has it with --env-file FILE: `scriptorium up --env-file` writes one,"
            " `make up` writes .env",
        )


class NotPrepared(CommandFailed):
    """A database cannot be reached or does not allow it."""

    def __init__(self, what: str, variable: str, reason: Exception) -> None:
        said = next(iter(str(reason).splitlines()), type(reason).__name__)
        super().__init__(f"{what} could not be prepared ({said})", f"start it or correct {variable}")


class WrongSize(CommandFailed):
    """Topics that are there already are not as they are declared."""

    def __init__(self, reason: Exception) -> None:
        super().__init__("the topics are not as they are declared", str(reason))


class NotReady(CommandFailed):
    """A service did not become ready."""

    def __init__(self, service: str, reason: str, outcome: Exception) -> None:
        super().__init__(f"the {service} does not get ready ({reason})", str(outcome))


class PortTaken(CommandFailed):
    """A fixed port was asked for and another program has it."""

    def __init__(self, service: str, port: int) -> None:
        super().__init__(f"port {port} of the {service} is in use", "stop the program that has it, or use --ports free")


class Unreachable(CommandFailed):
    """Nothing answers at a service's address."""

    def __init__(self, service: str, variable: str, address: str, reason: str) -> None:
        super().__init__(
            f"the {service} at {address} cannot be reached ({reason})",
            f"start the system with `scriptorium up` or `make up`, or correct {variable}",
        )


class NotOurs(CommandFailed):
    """Something else answers at a service's address."""

    def __init__(self, service: str, variable: str, address: str, answer: str) -> None:
        super().__init__(f"what answers at {address} is not the {service} ({answer})", f"correct {variable}")


class Refused(CommandFailed):
    """A service said no; its own words tell the way out."""

    def __init__(self, service: str, request: str, status: int, detail: str) -> None:
        super().__init__(f"the {service} refuses {request} ({status})", detail)
        self.status = status


class NoToken(CommandFailed):
    """There is nothing to show to the services."""

    def __init__(self) -> None:
        super().__init__(
            "neither SCRIPTORIUM_TOKEN nor SCRIPTORIUM_JWT_SECRET is set",
            "set the token that you were given, or the secret of the services, or name the file that has it"
            " with --env-file FILE",
        )


class NothingToSubmit(CommandFailed):
    """The folder has no files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds no files", "put the essays (txt, docx, odt, rtf, pdf) directly into it")


class WaitedTooLong(CommandFailed):
    """The batch did not come to its end in time."""

    def __init__(self, batch: str, seconds: float, waits_for: str) -> None:
        super().__init__(f"{batch} did not become ready within {seconds:.0f} s", f"it waits for {waits_for}")


class NotErasedYet(CommandFailed):
    """Not every service has erased a student."""

    def __init__(self, erasure_id: str, services: Sequence[str]) -> None:
        super().__init__(
            f"{', '.join(services)} did not answer yet",
            "it goes on by itself, and the same command again shows how far it is; a service that does not answer is "
            f"down, or waits: `scriptorium dead-letters list --state all --key {erasure_id}`",
        )
