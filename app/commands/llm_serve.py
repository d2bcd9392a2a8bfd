"""`footnote llm serve`: start a model server, say how to use it, watch it, stop it."""

import shlex
import signal
from pathlib import Path
from types import FrameType

import click

from app.ports import LOOPBACK, other_port, port_problem
from app.serving import Stop, Supervisor
from app.serving_machine import Machine, this_machine
from app.serving_model import ServedModel, identify
from app.serving_plan import QUANTIZATIONS, Plan, Wishes, find_vllm, make_plan, must_unpack
from app.serving_unpack import to_be_unpacked, unpack, unpacked
from app.settings import load_settings
from ingest.errors import SettingsError


@click.command("serve")
@click.argument("model")
@click.argument("extra", nargs=-1, type=click.UNPROCESSED)
@click.option("--port", type=int, default=8000, show_default=True, help="The port to listen on.")
@click.option("--host", default=LOOPBACK, show_default=True, help="The address to listen on; 0.0.0.0 lets others in.")
@click.option("--name", default="", help="What the server calls the model.  [default: its file's or folder's name]")
@click.option("--api-key", default="", help="The key that the server asks for.")
@click.option("--engine", type=click.Choice(["vllm", "llama.cpp"]), help="What serves it, where both can.")
@click.option("--device", type=click.Choice(["gpu", "cpu"]), help="cpu: leave GPUs alone.")
@click.option("--vllm", default="", metavar="PATH", help="vLLM's command, or its environment's folder.")
@click.option("--quantization", type=click.Choice(QUANTIZATIONS), help="How the weights are, or are to be, packed.")
@click.option("--lora", "loras", multiple=True, metavar="NAME=PATH", help="An adapter, as a model NAME. Repeatable.")
@click.option("--tensor-parallel", type=click.IntRange(1), help="Spread the model over so many GPUs.")
@click.option("--context", type=click.IntRange(256), help="Tokens of prompt and answer together.")
@click.option("--start-seconds", type=float, default=1800, show_default=True, help="How long it may take to start.")
@click.option("--dry-run", is_flag=True, help="Print the command and its environment, and start nothing.")
def command(
    model: str,
    extra: tuple[str, ...],
    port: int,
    host: str,
    name: str,
    api_key: str,
    engine: str | None,
    device: str | None,
    vllm: str,
    quantization: str | None,
    loras: tuple[str, ...],
    tensor_parallel: int | None,
    context: int | None,
    start_seconds: float,
    dry_run: bool,
) -> None:
    """Serve MODEL with vLLM, or a GGUF with llama.cpp where there is no GPU; Ctrl-C stops it.

    MODEL is a folder, a GGUF file, the name of one in the models folder, ORG/NAME or hf:ORG/NAME on Hugging Face, or
    ms:ORG/NAME on ModelScope. What follows -- goes to vLLM as it is.
    """
    settings = load_settings()
    wishes = Wishes(
        name=name,
        host=host,
        port=port,
        api_key=api_key,
        engine=engine or "",
        quantization=quantization or "",
        loras=tuple(_lora(text) for text in loras),
        tensor_parallel=tensor_parallel or 0,
        context_tokens=context or 0,
        extra=extra,
    )
    machine = this_machine(with_gpus=device != "cpu")
    program = find_vllm(vllm)
    served = identify(model, settings.models_folder)
    if not dry_run and (problem := port_problem(port, host)):
        raise SettingsError(f"{problem}; choose another: --port {other_port(port)}")
    if program and must_unpack(served, machine, wishes, program):
        served = _as_folder(served, settings.models_folder, program, machine, dry_run)
    plan = make_plan(served, machine, wishes, program)
    if dry_run:
        for variable, value in plan.set_variables.items():
            click.echo(f"{variable}={shlex.quote(value)}")
        click.echo(shlex.join(plan.command))
        return
    if host not in (LOOPBACK, "localhost", "::1"):
        lacks = "" if api_key else " and it asks for no key (--api-key)"
        click.echo(f"warning: the server listens on {host}: others can reach it{lacks}", err=True)
    stop = Stop()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.requested = True

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    supervisor = Supervisor(plan, settings.home / "serving", _say, stop)
    click.echo(f"Starting {plan.engine} for {', '.join(plan.models)} ... (log: {supervisor.log})", err=True)
    supervisor.run(lambda: _say_how(plan), start_seconds)
    click.echo("Stopped.", err=True)


def _as_folder(gguf: ServedModel, folder: Path, vllm: Path, machine: Machine, dry_run: bool) -> ServedModel:
    if done := unpacked(gguf, folder):
        return done
    if dry_run:
        _say("The GGUF would be unpacked first; the size of the cache is known only then.")
        return to_be_unpacked(gguf, folder)
    return unpack(gguf, folder, vllm, machine, _say)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _say_how(plan: Plan) -> None:
    url = f"{plan.root_url}/v1"
    key = f"FOOTNOTE_{plan.kind.upper()}_KEY=... " if plan.secrets else ""
    click.echo(f"Ready: {', '.join(plan.models)} at {url}  (Ctrl-C stops it)")
    use = "ask QUESTION" if plan.kind != "embedder" else "ingest --kb NAME PATH"
    click.echo(f"Use it: {key}FOOTNOTE_{plan.kind.upper()}_URL={url}{_named(plan)} footnote {use}")
    click.echo(f'Or for good, in footnote.toml: {plan.kind}_url = "{url}"')


def _named(plan: Plan) -> str:
    """A reranker's form goes by the model's name (`retrieval/reranker_form.py`)."""
    return f" FOOTNOTE_RERANKER_MODEL={shlex.quote(plan.models[0])}" if plan.kind == "reranker" else ""


def _lora(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise click.UsageError(f"--lora takes NAME=PATH, got {text!r}")
    return name, Path(path).expanduser()
