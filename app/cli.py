"""The `footnote` command: a thin group that imports a command's module only when that command runs."""

import importlib
import os
import sys

import click

from ingest.errors import BusyError, FootnoteError, StorageError

# Each command lives in app/commands/NAME.py as a click command called `command`.
COMMANDS = {
    "ingest": "Add files, folders, archives and web pages to a knowledge base.",
    "search": "Show the passages a question finds, and why.",
    "ask": "Answer a question with citations.",
    "replay": "Ask again what `ask --save` kept, and say what differs.",
    "chat": "Hold a conversation in the terminal.",
    "eval": "Measure retrieval and answers on question sets.",
    "web": "Start the page in the browser.",
    "llm": "Fetch, list and serve models.",
    "kb": "List, show, tag, verify, repair, export, import and delete knowledge bases.",
    "doctor": "Say what is wrong with this set-up and how to mend it.",
}


class LazyGroup(click.Group):
    """List every command, import none of them: `footnote --help` must not wait for torch."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"app.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="footnote-rag", prog_name="footnote")
def cli() -> None:
    """Ask your own documents. Every sentence of an answer cites the exact words that support it."""


def main() -> None:
    """Run the command line: exit 0 when done, 1 when some inputs or the disk failed, 2 on wrong use."""
    try:
        # Outside standalone mode click gives the exit status of `Exit` back instead of raising it.
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as wrong_use:
        wrong_use.show()
        sys.exit(2)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except (StorageError, BusyError) as error:  # rightly asked, but not now: a full disk, another writer
        click.echo(f"footnote: {error}", err=True)
        sys.exit(1)
    except FootnoteError as error:
        click.echo(f"footnote: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # The reader (head, less) has gone: not an error. Keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
