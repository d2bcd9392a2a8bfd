"""The options that every command shares."""

import click

kb_option = click.option("--kb", metavar="NAME", help="The knowledge base; FOOTNOTE_KB or `default` when not given.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object; messages go to stderr.")
