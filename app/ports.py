"""A port number in, what stands in the way of listening there out. Standard library only: set-up uses it too."""

import errno
import socket

LOOPBACK = "127.0.0.1"
PAGE_PORT = 8501


def other_port(port: int) -> int:
    """Give a port to try when `port` will not do."""
    return port + 1 if 1024 <= port < 65535 else PAGE_PORT + 1


def port_problem(port: int, host: str = LOOPBACK) -> str:
    """Say why nothing can listen on `host`:`port`; empty when something can."""
    if not 1 <= port <= 65535:
        return f"{port} is not a port (1 to 65535)"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A server that has just stopped leaves its connections waiting; that does not keep the next one out.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return f"port {port} is only for the system's administrator"
        except OSError as error:
            return (
                f"port {port} is in use"
                if error.errno == errno.EADDRINUSE
                else f"can't listen on {host}:{port} ({error.strerror})"
            )
    return ""
