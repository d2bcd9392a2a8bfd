"""llama.cpp's own OpenAI server, as its package holds it, in a process of its own. Use: llama_server.py GGUF PORT"""

import sys
import threading

import xllamacpp


def main(path: str, port: int) -> None:
    """Serve until the process is ended."""
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.model_alias = {"qwen"}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = 4096
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.fit_params = False
    params.warmup = False
    server = xllamacpp.Server(params)
    threading.Event().wait()
    del server


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
