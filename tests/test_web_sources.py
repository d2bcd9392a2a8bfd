"""Web pages as sources, against a real server on the loopback address."""

import gzip
import hashlib
import socket
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.views import plan_lines
from ingest.embedder import Vectors
from ingest.errors import SourceError
from ingest.knowledge_base import KnowledgeBase
from ingest.original import read_original
from ingest.pipeline import IngestConfig, IngestReport, ingest_paths, plan_paths
from ingest.web import WebConfig, WebState, fetch, is_url
from tests.hashing_embedder import HashingEmbedder

QUICK = WebConfig(timeout_seconds=0.5, max_bytes=100_000)


class Site(ThreadingHTTPServer):
    """Serves what `pages` holds: path -> (status, headers, body). `asked` keeps each request's path and headers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.stuck = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        if self.path == "/stuck":
            self.server.stuck.wait(10)
            return
        status, headers, body = self.server.pages.get(self.path, (404, {}, b"no"))
        if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
            status, headers, body = 304, {}, b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.stuck.set()
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeBase:
    return KnowledgeBase.open(tmp_path / "kb", HashingEmbedder(), create=True)


def ingest(kb: KnowledgeBase, *urls: str) -> IngestReport:
    return ingest_paths(kb, [], IngestConfig(web=QUICK), urls=urls)


HTML = {"Content-Type": "text/html; charset=gbk"}


def test_a_page_is_a_document_and_redirects_are_followed(site: Site, kb: KnowledgeBase) -> None:
    site.pages["/old"] = (302, {"Location": "/fares/票价".encode().decode("latin-1")}, b"")
    site.pages["/fares/%E7%A5%A8%E4%BB%B7"] = (200, HTML, "<title>票价</title><p>成人四元。</p>".encode("gbk"))
    report = ingest(kb, site.url("/old#part"))
    assert report.added == (site.url("/old"),) and report.failed == ()
    document = kb.catalog.document(kb.catalog.documents()[0].id)
    assert (document.title, document.text) == ("票价", "成人四元。")
    assert document.metadata["url"] == site.url("/fares/%E7%A5%A8%E4%BB%B7")


@pytest.mark.parametrize(
    ("path", "content_type", "body", "file_format"),
    [
        ("/data", "application/json", b'[{"line": "Red"}]', "json"),
        ("/a.md", "text/plain", b"# Fares", "markdown"),
        ("/a.md", "application/octet-stream", b"# Fares", "markdown"),
        ("/page.php", "text/html", b"<p>Fares</p>", "html"),
        ("/feed", "application/xml", b"<a><b>Fares</b></a>", "xml"),
        ("/", "text/csv", b"Line,Fare\nRed,4\n", "csv"),
        ("/x", "text/x-unknown", b"plain words", "text"),
        ("/x", "", b"<html><p>Fares</p></html>", "html"),
    ],
)
def test_the_content_type_decides_how_it_is_read(
    site: Site, kb: KnowledgeBase, path: str, content_type: str, body: bytes, file_format: str
) -> None:
    site.pages[path] = (200, {"Content-Type": content_type} if content_type else {}, body)
    assert ingest(kb, site.url(path)).failed == ()
    assert kb.catalog.document(kb.catalog.documents()[0].id).metadata["format"] == file_format


def test_a_page_that_has_not_changed_is_not_sent_again(site: Site, kb: KnowledgeBase) -> None:
    moment = "Tue, 18 Mar 2025 17:30:00 GMT"
    site.pages["/a"] = (200, {**HTML, "ETag": '"v1"', "Last-Modified": moment}, b"<p>Adults pay.</p>")
    url = site.url("/a")
    assert ingest(kb, url).added == (url,)
    assert kb.catalog.document(kb.catalog.documents()[0].id).metadata["modified"] == "2025-03-18"
    revision = kb.catalog.revision
    assert ingest(kb, url).unchanged == (url,) and kb.catalog.revision == revision
    assert site.asked[-1][1]["If-None-Match"] == '"v1"' and site.asked[-1][1]["If-Modified-Since"] == moment
    site.pages["/a"] = (200, {**HTML, "ETag": '"v2"'}, b"<p>Dogs pay.</p>")
    assert ingest(kb, url).updated == (url,)
    assert kb.catalog.document(kb.catalog.documents()[0].id).text == "Dogs pay."


def test_without_validators_the_words_decide(site: Site, kb: KnowledgeBase) -> None:
    site.pages["/a"] = (200, HTML, b"<p>Adults pay.</p>")
    ingest(kb, site.url("/a"))
    assert ingest(kb, site.url("/a")).unchanged == (site.url("/a"),)


def test_a_page_that_fails_keeps_its_last_good_version(site: Site, kb: KnowledgeBase) -> None:
    site.pages["/a"] = (200, HTML, b"<p>Adults pay.</p>")
    url = site.url("/a")
    ingest(kb, url)
    site.pages["/a"] = (500, {}, b"broken")
    report = ingest(kb, url)
    assert [failure.reason for failure in report.failed] == [
        f"{url} answered 500 Internal Server Error; check the address, or that it needs no login."
    ]
    assert [info.source for info in kb.catalog.documents()] == [url] and report.removed == ()


def test_pages_that_cannot_be_had_say_why(site: Site) -> None:
    site.pages["/big"] = (200, HTML, b"x" * 100_001)
    site.pages["/empty"] = (200, HTML, b"")
    site.pages["/loop"] = (302, {"Location": "/loop"}, b"")
    site.pages["/film"] = (200, {"Content-Type": "video/mp4"}, b"x")
    site.pages["/cut"] = (200, {**HTML, "Content-Length": "50"}, b"<p>only a part")
    site.pages["/bomb"] = (200, {**HTML, "Content-Encoding": "gzip"}, gzip.compress(bytes(80 * 2**20)))
    site.pages["/file"] = (302, {"Location": "file:///etc/passwd"}, b"")
    free = socket.create_server(("127.0.0.1", 0))
    closed = f"http://127.0.0.1:{free.getsockname()[1]}/"
    free.close()
    for address, reason in (
        (site.url("/big"), "is more than 0 MiB; save what matters"),
        (site.url("/empty"), "answered with nothing"),
        (site.url("/loop"), "answered 302"),
        (site.url("/film"), r"is of a type that isn't read \(video/mp4\)"),
        (site.url("/cut"), "broke off after 14 of 50 bytes"),
        (site.url("/bomb"), "unpacks to more than 200 times its size"),
        (site.url("/file"), "answered 302"),
        (site.url("/none"), "answered 404 Not Found"),
        (site.url("/stuck"), r"took more than 0\.5 s to answer; try again later"),
        (closed, r"can't be reached \(.*refused"),
        ("http://no-such-host.invalid/", r"can't be reached \(no such host, or no network\)"),
        ("http://", "can't be fetched"),
    ):
        with pytest.raises(SourceError, match=reason):
            fetch(address, QUICK)


def test_a_gzipped_answer_is_unpacked_and_its_state_kept(site: Site) -> None:
    site.pages["/a"] = (200, {**HTML, "Content-Encoding": "gzip"}, gzip.compress(b"<p>Adults pay.</p>"))
    page = fetch(site.url("/a"), QUICK)
    assert page is not None and page.data == b"<p>Adults pay.</p>" and page.name == "a.html"
    state = WebState('"v"', "", hashlib.sha256(page.data).hexdigest())
    assert WebState.from_json(state.to_json()) == state and WebState.from_json(None) == WebState()


def test_a_page_on_the_web_has_no_file_to_open() -> None:
    with pytest.raises(SourceError, match=r"^http://e\.org/a\.pdf is on the web and isn't kept here; open the address"):
        read_original("http://e.org/a.pdf")


def test_addresses_are_told_from_paths() -> None:
    assert [is_url(text) for text in ("http://a", "HTTPS://a", "docs/a.md", "ftp://a", "/http://a")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_the_command_line_takes_addresses_and_names_those_that_fail(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path))
    monkeypatch.setattr("app.model_making.SentenceTransformerEmbedder", lambda model, config: HashingEmbedder())
    site.pages["/a"] = (200, HTML, b"<p>Adults pay.</p>")
    result = CliRunner().invoke(cli, ["ingest", site.url("/a"), site.url("/gone")])
    assert result.exit_code == 1
    assert "1 added" in result.output and f"{site.url('/gone')} answered 404 Not Found" in result.output


def test_a_dry_run_names_pages_without_fetching_them(site: Site, kb: KnowledgeBase) -> None:
    plan = plan_paths(kb.catalog, [], IngestConfig(web=QUICK), urls=[site.url("/a#top"), site.url("/a")])
    assert (plan.pages, plan.added, plan.failed, site.asked) == ((site.url("/a"),), (), (), [])
    assert plan_lines(plan)[0] == f"would fetch unless unchanged: {site.url('/a')}"
    assert plan_lines(plan)[-1].startswith("1 to fetch; 0 unchanged.")


def test_watching_a_page_is_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path))
    result = CliRunner().invoke(cli, ["ingest", str(tmp_path), "http://e.org/a", "--watch"])
    assert result.exit_code == 2 and "no server tells when http://e.org/a changes" in " ".join(result.output.split())


def test_a_page_with_the_words_of_a_file_that_is_gone_is_no_move(site: Site, tmp_path: Path, kb: KnowledgeBase) -> None:
    site.pages["/a.md"] = (200, {"Content-Type": "text/markdown"}, b"Adults pay.")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_bytes(b"Adults pay.")
    (tmp_path / "docs" / "b.md").write_text("Dogs travel.")
    ingest_paths(kb, [tmp_path / "docs"], IngestConfig())
    (tmp_path / "docs" / "a.md").unlink()
    report = ingest_paths(kb, [tmp_path / "docs"], IngestConfig(web=QUICK), urls=[site.url("/a.md")])
    assert (report.added, report.moved) == ((site.url("/a.md"),), ())
    assert report.removed == ((tmp_path / "docs" / "a.md").as_posix(),)
    again = ingest_paths(kb, [tmp_path / "docs"], IngestConfig(), base=tmp_path / "docs")
    assert again.removed == ()


def test_an_interrupted_ingest_names_the_addresses_to_go_on_with(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(HashingEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            raise KeyboardInterrupt

    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path))
    monkeypatch.setattr("app.model_making.SentenceTransformerEmbedder", lambda model, config: Interrupted())
    site.pages["/a"] = (200, HTML, b"<p>Adults pay.</p>")
    (tmp_path / "a.md").write_text("Dogs travel.")
    result = CliRunner().invoke(cli, ["ingest", site.url("/a"), str(tmp_path / "a.md"), "--kb", "two"])
    assert result.exit_code == 130
    assert f"2 are still to do; go on with: footnote ingest {site.url('/a')} {tmp_path}/a.md --kb two" in result.output
