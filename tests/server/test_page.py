"""The page and the example, as the service gives them; what the page does is in tests/browser."""

import pytest

from helpers.service import instant
from soundfix.report.page import built_page
from soundfix.server.example import part_of_example


@pytest.fixture
def service(monkeypatch, tmp_path):
    with instant(monkeypatch, tmp_path, token="t") as client:
        yield client


def test_the_page_is_for_everybody_and_loads_nothing_from_elsewhere(service):
    said = service.get("/")
    assert said.status_code == 200
    assert said.text == built_page()
    policy = said.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_example_is_for_who_shows_the_token(service):
    assert service.get("/example").status_code == 401
    service.headers["Authorization"] = "Bearer t"
    told = service.get("/example").json()
    assert service.get(f"/example/{told['audio']}").content == part_of_example("walk.flac")
    assert service.get(f"/example/{told['microphones']}").text.startswith("name,x,y,z")
    for name in ("example.json", "..%2fapp.py", "x"):
        assert service.get(f"/example/{name}").status_code == 404
