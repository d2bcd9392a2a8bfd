"""What is remembered of a picture or a recording without words, so that it isn't read every time. Values only."""

import json


def wordless_state(content_hash: str, reason: str) -> str:
    """Give what to remember: the hash of its bytes, and why it was passed over."""
    return json.dumps([content_hash, reason], ensure_ascii=False)


def wordless_reason(state: str | None, content_hash: str) -> str | None:
    """Say why it was passed over, if it was, and its bytes are still the same."""
    if not state:
        return None
    known_hash, reason = json.loads(state)
    return str(reason) if known_hash == content_hash else None
