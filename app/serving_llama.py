"""A GGUF served over HTTP by llama.cpp, in a process of its own: `python -m app.serving_llama OPTIONS`."""

import json
import os
import signal
import sys


def main() -> None:
    """Serve until SIGTERM. The key comes by the environment, so that no list of processes shows it."""
    options = json.loads(sys.argv[1])
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    import xllamacpp

    from generation.llama_cpp import physical_cores

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})  # before the engine's threads start
    params = xllamacpp.CommonParams()
    params.model.path = options["model"]
    params.model_alias = {options["name"]}
    params.hostnames = [options["host"]]
    params.port = options["port"]
    params.n_ctx = options["context_tokens"]
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = physical_cores()
    params.fit_params = False
    params.api_keys = [key] if (key := os.environ.get("FOOTNOTE_SERVER_KEY", "")) else []
    server = xllamacpp.Server(params)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    del server


if __name__ == "__main__":
    main()
