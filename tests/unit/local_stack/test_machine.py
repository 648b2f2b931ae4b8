import socket
from pathlib import Path

import pytest
from local_stack.errors import DiskFull, PortBusy
from local_stack.machine import free_port, require_disk, require_free


def test_a_port_with_a_listener_is_refused_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(PortBusy, match=f"port {port} .* is already in use; stop .* or choose another port"):
            require_free(port)


def test_a_free_port_is_not_one_that_outgoing_connections_are_given() -> None:
    first_outgoing_port = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    assert require_free(free_port()) < first_outgoing_port


def test_a_disk_with_too_little_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="less than 1000000000000 MB free; make room"):
        require_disk(tmp_path / "not there yet", 10**12)
