"""An address in, whether it is near out. Knows nothing about what is served there."""

import ipaddress
from urllib.parse import urlsplit


def is_near(url: str) -> bool:
    """Tell whether a server is on this machine or its network: a proxy for the web must not swallow requests to it."""
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".internal", ".lan")) or "." not in host
    return address.is_private or address.is_loopback
