"""Fixtures that several test files share."""

from collections.abc import Iterator

import pytest

from tests.stub_server import StubServer


@pytest.fixture
def server() -> Iterator[StubServer]:
    """Give an OpenAI-compatible server whose answers the test writes."""
    stub = StubServer()
    yield stub
    stub.close()
