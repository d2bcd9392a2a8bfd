"""A plan in, a server that is started, watched, started again when it dies, and stopped. Knows nothing of models."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.serving_failure import last_line, reason
from app.serving_plan import Plan
from app.serving_process import END_WITH_THIS_PROCESS, inherited_environment
from app.settings import PROJECT
from ingest.errors import ModelError

_POLL_SECONDS = 0.2
_STOP_SECONDS = 20.0
_RESTARTS = 5
_CALM_SECONDS = 600.0  # a server that ran so long has its restarts back
_TAIL_BYTES = 200_000


@dataclass(slots=True)
class Stop:
    """Set by a signal's handler, read between two looks at the server."""

    requested: bool = False


class Supervisor:
    """One server and its log. `say` is told whatever the user should know."""

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None], stop: Stop) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.plan = plan
        self.log = folder / f"{plan.port}.log"
        self.state = folder / f"{plan.port}.json"
        self._say = say
        self._stop = stop
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, ready: Callable[[], None], start_seconds: float) -> None:
        """Serve until a stop is asked for. Raises ModelError when the server can't start or dies too often."""
        self.log.write_bytes(b"")
        deaths = 0
        try:
            while not self._stop.requested:
                began = time.monotonic()
                well = self._start(start_seconds)
                if well:
                    if not deaths:
                        ready()
                    self._write_state()
                    self._watch()
                if self._stop.requested:
                    break
                self._end()
                deaths = 1 if well and time.monotonic() - began > _CALM_SECONDS else deaths + 1
                if deaths > _RESTARTS or (deaths == 1 and not well):
                    raise ModelError(f"the server stopped: {reason(self._tail())} (its log: {self.log})")
                self._say(f"The server died: {reason(self._tail())}. Starting it again ({deaths} of {_RESTARTS}) ...")
                self._pause(2.0 ** (deaths - 1))
        finally:
            self._end()
            self.state.unlink(missing_ok=True)

    def _start(self, start_seconds: float) -> bool:
        kept = inherited_environment()
        path = f"{Path(self.plan.command[0]).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
        environment = {**kept, "PATH": path, **self.plan.set_variables, **self.plan.secrets}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.plan.command,
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=END_WITH_THIS_PROCESS,
            )
        began = said_at = time.monotonic()
        said = ""
        while self._process.poll() is None and not self._stop.requested:
            if self._healthy():
                return True
            now = time.monotonic()
            if now - began > start_seconds:
                raise ModelError(f"the server isn't ready after {start_seconds:.0f} s; its log: {self.log}")
            if now - said_at > 5 and (line := last_line(self._tail())) != said:
                self._say(f"  {now - began:4.0f} s  {line[:100]}")
                said, said_at = line, now
            time.sleep(_POLL_SECONDS)
        return False

    def _watch(self) -> None:
        while self._process is not None and self._process.poll() is None and not self._stop.requested:
            time.sleep(_POLL_SECONDS)

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stop.requested:
            time.sleep(_POLL_SECONDS)

    def _healthy(self) -> bool:
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{self.plan.root_url}/health", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _tail(self) -> str:
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")

    def _write_state(self) -> None:
        process = self._process.pid if self._process else 0
        state = {
            "url": f"{self.plan.root_url}/v1",
            "models": list(self.plan.models),
            "engine": self.plan.engine,
            "pid": os.getpid(),
            "server_pid": process,
            "log": str(self.log),
        }
        making = self.state.with_suffix(".new")
        making.write_text(json.dumps(state), encoding="utf-8")
        making.replace(self.state)

    def _end(self) -> None:
        """Stop the server and what it started: they are one process group."""
        if self._process is None:
            return
        for stop_signal in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, stop_signal)
            except ProcessLookupError:
                break
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()
        self._process = None


def running_servers(folder: Path) -> list[dict[str, object]]:
    """List the servers that `footnote llm serve` says it runs, by port."""
    found = []
    for path in sorted(folder.glob("*.json")):
        state = json.loads(path.read_text(encoding="utf-8"))
        if Path(f"/proc/{state['pid']}").exists() or not Path("/proc").exists():
            found.append(state)
    return found
