"""Listening server: fragmented bodies, disconnecting clients, and bytes that are not HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from tests.servers import Server

HEAD = b"POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
QUERY = b'{"query": "{ __typename }"}'
ANSWER = b'{"data":{"__typename":"Query"}}'


def exchanged(server: Server, *pieces: bytes, hang_up: bool = False) -> bytes:
    """Return all bytes of the response. The server may disconnect before it has read the whole request."""
    address = urlsplit(server.url)
    said = b""
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        with suppress(ConnectionResetError, BrokenPipeError):
            for piece in pieces:
                client.sendall(piece)
        if hang_up:
            client.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while more := client.recv(65536):
                said += more
    return said


def chunked(*chunks: bytes) -> Iterator[bytes]:
    for chunk in chunks:
        yield b"%x\r\n%s\r\n" % (len(chunk), chunk)
    yield b"0\r\n\r\n"


def status(said: bytes) -> int:
    return int(said.split(b" ", 2)[1])


def test_bodies_come_whole_or_in_pieces(server: Server) -> None:
    head = HEAD % b"/graphql"
    whole = exchanged(server, head + b"Content-Length: %d\r\n\r\n" % len(QUERY) + QUERY)
    pieces = exchanged(server, head + b"Transfer-Encoding: chunked\r\n\r\n", *chunked(QUERY[:5], QUERY[5:]))
    waited = exchanged(server, head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(QUERY), QUERY)
    assert [said.rpartition(b"\r\n\r\n")[2] for said in (whole, pieces, waited)] == [ANSWER] * 3


def test_wrong_bodies_are_refused_and_the_next_request_is_answered(server: Server) -> None:
    megabyte = b" " * 2**20
    for head in (HEAD % b"/graphql", HEAD % b"/pipelines"):
        assert status(exchanged(server, head + b"Content-Length: 99999999999\r\n\r\n")) == 413
        assert (
            status(exchanged(server, head + b"Transfer-Encoding: chunked\r\n\r\n", *chunked(*[megabyte] * 17))) == 413
        )
        for wrong in (b"-5", b"99999999999999999999999", b"1\r\nContent-Length: 2"):
            assert status(exchanged(server, head + b"Content-Length: " + wrong + b"\r\n\r\n{}")) == 400
        assert exchanged(server, head + b"Content-Length: 100\r\n\r\n{", hang_up=True) == b""
        assert status(exchanged(server, b"\x16\x03\x01\x02\x00 nonsense\r\n\r\n")) == 400
    query = HEAD % b"/graphql" + b"Content-Length: %d\r\n\r\n" % len(QUERY) + QUERY
    assert exchanged(server, query).endswith(ANSWER)
    assert server.process.poll() is None
