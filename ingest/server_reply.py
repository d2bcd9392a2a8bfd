"""What HTTP clients of model servers share: no redirects, and a refusal's reason in one line. Knows no endpoint."""

import http.client
import json
import urllib.error
import urllib.request
from typing import Any

from ingest.addresses import is_near


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: it would carry the key to wherever it points."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:  # urllib's own signature
        return None


def opener_for(url: str) -> urllib.request.OpenerDirector:
    """Give what opens a server's addresses; a proxy for the web must not swallow requests to this machine."""
    proxies = [urllib.request.ProxyHandler({})] if is_near(url) else []
    return urllib.request.build_opener(NoRedirect, *proxies)


def reason_of(error: urllib.error.HTTPError) -> str:
    """Give what the server said, in one line."""
    try:
        said: Any = error.read(10_000).decode("utf-8", "replace")  # text, or whatever JSON the server sent
    except (OSError, http.client.HTTPException):
        said = ""
    try:
        body = json.loads(said)
        inner = body.get("error", body)
        said = (inner.get("message") or inner.get("detail") if isinstance(inner, dict) else inner) or said
    except (ValueError, AttributeError):
        pass
    text = " ".join(str(said or error.reason).split())
    return text if len(text) <= 300 else text[:299] + "…"
