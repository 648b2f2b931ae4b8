"""What the local stack needs of the machine it runs on: platform, disk, ports."""

import platform
import random
import shutil
import socket
from pathlib import Path

from local_stack.errors import DiskFull, LocalStackError, PortBusy, UnsupportedPlatform

# Below the range from which Linux takes the ports of outgoing connections: there, while a server is down, a client
# that tries again and again to reach it sooner or later gets the server's own port, connects to itself, and holds it.
_FREE_PORTS = range(20_000, 32_000)


def require_platform() -> None:
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        raise UnsupportedPlatform(f"{system} {machine}")


def require_disk(folder: Path, megabytes: int) -> None:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if shutil.disk_usage(existing).free < megabytes * 1_000_000:
        raise DiskFull(folder, megabytes)


def require_free(port: int) -> int:
    with socket.socket() as probe:
        # As servers do: connections that are only waiting to be forgotten do not count as busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortBusy(port) from None
    return port


def free_port() -> int:
    """A port on 127.0.0.1 on which nothing listens, and which nobody else who asks this way is given for a minute."""
    for port in random.sample(_FREE_PORTS, k=min(100, len(_FREE_PORTS))):
        if _reserve(port):
            return port
    raise LocalStackError("no free port was found between 20000 and 32000", "stop some of the programs that listen")


def _reserve(port: int) -> bool:
    """Leaves a connection there that waits to be forgotten: servers may bind the port, whoever looks for one may not.

    The method of Yelp's ephemeral-port-reserve, which takes its ports from the system's range.
    """
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        # After binding, or those that are reserved could be bound; before connecting, since the connection inherits it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.listen(1)
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listener.accept()
            accepted.close()  # First, so that this end is the one that waits.
    return True
