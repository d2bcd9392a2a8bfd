"""`footnote doctor`: say what is wrong with this set-up and how to mend it."""

import json
from dataclasses import asdict

import click

from app.commands.options import json_option


@click.command()
@click.option("--full", is_flag=True, help="Also read every model and index, and have the language model write.")
@json_option
def command(full: bool, as_json: bool) -> None:
    """Say what is wrong with this set-up and how to mend it; exit 1 when something is."""
    from app.doctor import Finding, examine
    from app.settings import load_settings
    from ingest.errors import SettingsError

    findings: list[Finding] = []
    try:
        for finding in examine(load_settings(), full=full):
            findings.append(finding)
            if not as_json:
                _print(finding.subject, finding.state, finding.detail, finding.mend)
    except SettingsError as error:
        findings.append(Finding("Settings", "problem", str(error), "correct that setting"))
        if not as_json:
            _print("Settings", "problem", str(error), "correct that setting")
    n_problems = sum(finding.state == "problem" for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": not n_problems, "findings": [asdict(f) for f in findings]}, ensure_ascii=False))
    else:
        click.echo(f"\n{n_problems} problem(s)." if n_problems else "\nNothing is wrong.")
    if n_problems:
        raise click.exceptions.Exit(1)


def _print(subject: str, state: str, detail: str, mend: str) -> None:
    click.echo(f"{state:<8} {subject}: {detail}")
    if mend:
        click.echo(f"{'':<8} -> {mend}")
