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
    if not _is_free(port):
        raise PortBusy(port)
    return port


def free_port() -> int:
    """A port on 127.0.0.1 on which nothing listens at the moment."""
    for port in random.sample(_FREE_PORTS, k=100):
        if _is_free(port):
            return port
    raise LocalStackError("no free port was found between 20000 and 32000", "stop some of the programs that listen")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections that are only waiting to be forgotten do not count as busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
