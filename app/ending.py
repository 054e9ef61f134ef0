"""Taking no more connections, and resetting none: closing a socket that listens resets those that are in its queue."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress

SO_ATTACH_FILTER = 26
"""Of Linux; Python does not name it."""
DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)
"""One instruction of a packet filter: keep nothing of any packet."""


def take_no_more(listening: Iterable[socket.socket]) -> None:
    """Have packets to listening sockets dropped: who connects now tries again, and what has connected is served on.
    Only Linux knows how."""
    if sys.platform != "linux":
        return
    code = ctypes.create_string_buffer(DROP_ALL, len(DROP_ALL))
    program = struct.pack("HP", 1, ctypes.addressof(code))
    for each in listening:
        with suppress(OSError), socket.socket(fileno=os.dup(each.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
