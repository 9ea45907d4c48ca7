"""Ports of 127.0.0.1 for what binds them later, or again."""
import socket


def hold_port():
    """A port that nobody else gets until the socket is closed: (socket, port). It never
    listens, so a socket with SO_REUSEADDR, such as libzmq's, may bind the port beside it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held, held.getsockname()[1]
