"""Shutdown of listening sockets without resets: closing a listening socket resets the connections in its accept
queue."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress

SO_ATTACH_FILTER = 26
"""Linux socket option that Python does not name."""
DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)
"""BPF program of one instruction that drops every packet."""


def take_no_more(listening: Iterable[socket.socket]) -> None:
    """Attach a BPF filter that drops every packet to listening sockets: new SYNs are dropped and retried by their
    clients, established connections are served. Linux only."""
    if sys.platform != "linux":
        return
    code = ctypes.create_string_buffer(DROP_ALL, len(DROP_ALL))
    program = struct.pack("HP", 1, ctypes.addressof(code))
    for each in listening:
        with suppress(OSError), socket.socket(fileno=os.dup(each.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
