"""A model server's address in, the models it offers out. Knows nothing of questions or documents."""

import json
import urllib.error
import urllib.request

from ingest.errors import ModelError

TIMEOUT_SECONDS = 2.0


def served_models(base_url: str, api_key: str) -> list[str]:
    """List the models that an OpenAI-compatible server offers, in its order. Raises ModelError."""
    address = f"{base_url.rstrip('/')}/models"
    if not base_url.startswith(("http://", "https://")):
        raise ModelError(f"{base_url!r} is no address of a server; write it like http://127.0.0.1:8000/v1")
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {api_key}"} if api_key else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            body = json.load(response)
        return [str(model["id"]) for model in body["data"]]
    except urllib.error.HTTPError as error:
        raise ModelError(f"{address} answers {error.code} {error.reason}; check the address and the key") from error
    except OSError as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else cause
        raise ModelError(f"no server answers at {address} ({reason}); start one or correct the address") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{address} does not answer as an OpenAI-compatible server does; check the address") from error
