"""The whole system on this machine: Kafka, PostgreSQL and the five services, each a process of its own."""

import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import NoReturn

import httpx
from local_stack import ChildProcess, LocalStack, LocalStackError, free_port

from scriptorium import environment
from scriptorium.environment import BROKERS, SECRET, SECRET_LENGTH, SERVICES, Member, Variables
from scriptorium.errors import NotReady, PortTaken
from scriptorium.migrations import CHECKOUT, migrate, prepare_topics
from scriptorium.supervision import Say, Watched

HOST = "127.0.0.1"
READY_SECONDS = 60.0
LOOK_SECONDS = 0.5


class Ports(StrEnum):
    """Which ports the services listen on."""

    USUAL = "usual"
    """8001 to 8005 where those are free, any others where not."""
    FIXED = "fixed"
    """8001 to 8005 or not at all."""
    FREE = "free"
    """Any that are free."""


class RunningService:
    """One of the services as a child process."""

    def __init__(self, member: Member, variables: Variables, logs: Path) -> None:
        self.member = member
        self.url = variables[f"{member.variable}_URL"]
        own = {
            "SCRIPTORIUM_DATABASE_URL": variables[f"{member.variable}_DATABASE_URL"],
            **{f"SCRIPTORIUM_{each.variable}_URL": variables[f"{each.variable}_URL"] for each in SERVICES},
            "SCRIPTORIUM_HOST": HOST,
            "SCRIPTORIUM_PORT": self.url.rpartition(":")[2],
            # With a name that stays, a service that was killed gets its partitions back at once.
            "SCRIPTORIUM_INSTANCE_ID": "local",
        }
        argv = [sys.executable, "-m", f"services.{member.folder}"]
        env = {**os.environ, **variables, **own}
        log_file = logs / f"{member.folder}.log"
        self.process = ChildProcess(f"the {member.title}", argv, log_file, env=env, cwd=CHECKOUT)

    def await_ready(self, client: httpx.Client) -> None:
        """Wait until it can work; raises NotReady with its own reasons and the end of its log."""
        answer = "no answer"

        def is_ready() -> bool:
            nonlocal answer
            with suppress(httpx.TransportError):
                response = client.get(f"{self.url}/readyz")
                answer = response.text
                return response.status_code == httpx.codes.OK
            return False

        try:
            self.process.await_ready(is_ready, READY_SECONDS)
        except LocalStackError as error:
            raise NotReady(self.member.title, answer, error) from error


class System:
    """What runs, and what other programs need to know of it."""

    def __init__(self, stack: LocalStack, jwt_secret: str, ports: Mapping[Member, int]) -> None:
        self.stack = stack
        self.logs = stack.folder / "logs"
        self.variables = {
            BROKERS: stack.kafka_bootstrap_servers,
            **{f"{member.variable}_URL": f"http://{HOST}:{port}" for member, port in ports.items()},
            SECRET: jwt_secret,
            **{f"{member.variable}_DATABASE_URL": stack.postgres_url(member.folder) for member in ports},
        }
        self.services = [RunningService(member, self.variables, self.logs) for member in ports]

    def start(self) -> None:
        """Start every service as soon as its database is there, and wait until all are ready."""
        with ThreadPoolExecutor() as pool:
            created = [pool.submit(self.stack.create_database, each.member.folder) for each in self.services]
            prepare_topics(self.variables)
            for service, database in zip(self.services, created, strict=True):
                database.result()
                migrate(service.member, self.variables)
                service.process.start()
        # Not through a proxy: the services are on this machine.
        with httpx.Client(trust_env=False, timeout=5) as client:
            for service in self.services:
                service.await_ready(client)

    def stop(self) -> None:
        """Ask all services at once to end, and kill those that have not within 10 s."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda service: service.process.stop(patience=10), self.services))

    def watch(self, say: Say) -> NoReturn:
        """Start again whatever dies, for ever."""
        now = time.monotonic()
        watched = [Watched(each.process.name, each.process.ended, each.process.start, now) for each in self.services]
        for name, server in (("Kafka", self.stack.kafka), ("PostgreSQL", self.stack.postgres)):
            again = partial(_start_again, server.kill, server.start)
            watched.append(Watched(name, server.ended, again, now))
        while True:
            for each in watched:
                each.look(time.monotonic(), say)
            time.sleep(LOOK_SECONDS)


@contextmanager
def running_system(data: Path | None, ports: Ports, say: Say) -> Iterator[System]:
    """The system, ready, for as long as the block lasts; without `data` in a temporary folder, removed at the end."""
    given = environment.secret(os.environ) if os.environ.get(SECRET) else None
    chosen = choose_ports(ports, say)
    with ExitStack() as undo:
        say("Starting Kafka and PostgreSQL …")
        stack = undo.enter_context(LocalStack(data))
        say(f"Starting the services, logs in {stack.folder / 'logs'} …")
        system = System(stack, given or _kept_secret(stack.folder / "jwt-secret"), chosen)
        undo.callback(system.stop)
        system.start()
        yield system


def choose_ports(ports: Ports, say: Say) -> dict[Member, int]:
    """A port for every service; raises PortTaken when a fixed one is not free."""
    chosen: dict[Member, int] = {}
    for member in SERVICES:
        usable = ports is not Ports.FREE and _is_free(member.port)
        if ports is Ports.FIXED and not usable:
            raise PortTaken(member.title, member.port)
        chosen[member] = member.port if usable else free_port()
        if ports is Ports.USUAL and not usable:
            say(f"Port {member.port} is in use: the {member.title} gets {chosen[member]}.")
    return chosen


def _kept_secret(path: Path) -> str:
    """The secret of this data folder, made the first time."""
    if not path.exists():
        environment.write_private(path, secrets.token_urlsafe(SECRET_LENGTH))
    return path.read_text(encoding="utf-8").strip()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _start_again(kill: Callable[[], None], start: Callable[[], None]) -> None:
    """What is left of it goes first: nothing may keep the port or the data."""
    kill()
    start()
