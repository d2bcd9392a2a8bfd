"""pip's configuration in, the same settings as environment variables for uv out. Knows nothing of what is installed.

uv is much faster than pip but ignores its configuration, so without this it would miss a local index, a CPU build of
torch in a find-links folder, or a company's certificate.
"""

import ast
from collections.abc import Mapping

# pip's option -> uv's variable and what stands between several values.
VARIABLES = {
    "find-links": ("UV_FIND_LINKS", ","),
    "index-url": ("UV_DEFAULT_INDEX", ""),
    "extra-index-url": ("UV_INDEX", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", ""),
    "proxy": ("ALL_PROXY", ""),
    "timeout": ("UV_HTTP_TIMEOUT", ""),
    "default-timeout": ("UV_HTTP_TIMEOUT", ""),
    "keyring-provider": ("UV_KEYRING_PROVIDER", ""),
}


def read_pip_settings(listing: str) -> dict[str, str]:
    """Read what `pip config list` prints; a variable of the environment wins over [install], and that over [global]."""
    found: dict[str, tuple[int, str]] = {}
    ranks = {"global": 0, "install": 1, ":env:": 2}
    for line in listing.splitlines():
        key, equals, value = line.partition("=")
        section, dot, option = key.rpartition(".")
        if not equals or not dot or section not in ranks:
            continue
        if option not in found or ranks[section] >= found[option][0]:
            found[option] = (ranks[section], str(ast.literal_eval(value)))
    return {option: value for option, (_, value) in found.items()}


def uv_variables(pip_settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Give the variables that make uv do as pip does; one that `environment` sets itself stays as it is."""
    variables = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_PYTHON_DOWNLOADS": "never"}
    for option, value in pip_settings.items():
        if option in VARIABLES and value.split():
            variable, separator = VARIABLES[option]
            variables[variable] = separator.join(value.split()) if separator else value.strip()
    if pip_settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        variables["UV_NO_INDEX"] = "1"
    return {name: value for name, value in variables.items() if name not in environment}
