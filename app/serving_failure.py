"""A server's log in, why it failed out, in one sentence. Knows nothing of processes."""

import re

# What the log says -> what it means and what to do; the first that fits is told.
_CAUSES = (
    (r"address already in use|couldn't bind", "its port is taken; choose another: --port"),
    (
        r"out of memory|OutOfMemoryError|No available memory for the cache blocks|KV cache.*larger than the available",
        "there is not enough memory; take a shorter --context, a smaller or quantized model, or --tensor-parallel",
    ),
    (
        r"vllm-bnb-plugin|Unknown quantization method: '?bitsandbytes|(?=.*bitsandbytes)invalid choice",
        "this vLLM reads bitsandbytes with a plugin; install it beside vLLM: pip install vllm-bnb-plugin bitsandbytes",
    ),
    (r"No module named '([\w.]+)'", r"it lacks the package {0}; install it beside vLLM"),
    (r"gated repo|GatedRepoError|401 Client Error", "the model is gated or unknown; ask for access and set HF_TOKEN"),
    (r"RepositoryNotFoundError|404 Client Error", "the hub has no model of that name; see how it is spelled"),
    (
        r"offline mode is enabled|LocalEntryNotFoundError|couldn't connect to|Temporary failure in name resolution"
        r"|Name or service not known|MaxRetryError|ConnectError",
        "the hub can't be reached, and the model isn't on this machine; give its folder, or: footnote llm pull",
    ),
    (
        r"does not recognize this architecture"
        r"|Model architectures? \[.*?\] (?:are|is) not supported|unknown model arch",
        "it doesn't know the model's architecture; take a newer vLLM, or another model",
    ),
    (r"SafetensorError|HeaderTooLarge|MetadataIncompleteBuffer", "the model's weights are damaged; fetch it again"),
    (r"failed to load model|error loading model", "the GGUF can't be loaded; it may be damaged: fetch it again"),
)
_NOISE = re.compile(r"^\s*$|^\S* ?(DEBUG|Traceback)|^\W+$")
_PREFIX = re.compile(r"^(\(\S+ pid=\d+\) )?(INFO|WARNING|ERROR) [\d-]+ [\d:]+ \[[^\]]*\] ?")


def reason(log: str) -> str:
    """Say why the server that wrote `log` failed: a known cause, else its last error, else its last line."""
    for pattern, meaning in _CAUSES:
        if found := re.search(pattern, log, re.IGNORECASE):
            return meaning.format(*found.groups())
    errors = re.findall(r"^.*?\b(\w*(?:Error|Exception): .+)$", log, re.MULTILINE)
    return (errors[-1] if errors else last_line(log) or "it wrote nothing")[:300]


def last_line(log: str) -> str:
    """Give the log's last line that says something, without its date and place."""
    lines = [_PREFIX.sub("", line).strip() for line in log.splitlines() if not _NOISE.search(line)]
    return next((line for line in reversed(lines) if line), "")
