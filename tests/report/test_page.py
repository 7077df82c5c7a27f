"""A page holds its answers, its own program, and nothing that it would have to fetch."""

import gzip
import hashlib
import json
import re
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from helpers.drawings import MICROPHONES, ROOM, directed, estimate, walk
from soundfix.microphones import Microphones
from soundfix.report.page import Recorded, built_page, page_data, with_data, write_page
from soundfix.report.plots import plot_estimates

WEB = Path(__file__).parents[2] / "web"


def data_in(page):
    (packed,) = re.findall(r'<script type="application/octet-stream" id="soundfix-data">([^<]*)</script>', page)
    return json.loads(gzip.decompress(b64decode(packed)))


def test_it_holds_the_answers(tmp_path):
    plot_estimates(walk(30), MICROPHONES, ROOM, tmp_path / "found.html")
    page = (tmp_path / "found.html").read_text(encoding="utf-8")
    told = data_in(page)
    assert told["answers"]["estimates"] == json.loads(json.dumps([each.to_dict() for each in walk(30)]))
    assert [each["name"] for each in told["answers"]["request"]["microphones"]] == list(MICROPHONES.names)
    assert told["answers"]["request"]["room"] == [list(corner) for corner in ROOM]
    assert (told["waves"], told["curves"], told["sound"]) == (None, [], None)


def test_it_has_a_title_a_width_and_no_addresses():
    page = built_page()
    assert "<title>soundfix</title>" in page
    assert 'name="viewport" content="width=device-width' in page
    assert not re.search(r"<(script|link|img)[^>]* (src|href)=.?https?:", page)
    assert len(page) < 1_000_000


def test_a_name_is_no_markup(tmp_path):
    write_page(tmp_path / "x.html", [directed()], MICROPHONES, ROOM)
    assert "</script>" not in data_in((tmp_path / "x.html").read_text("utf-8"))
    assert (
        "<b>" not in with_data({"name": "<b></script><script>"}).split('id="soundfix-data">')[1].split("</script>")[0]
    )


def test_without_estimates_it_shows_the_microphones():
    told = page_data([], MICROPHONES, None, None)
    assert told["answers"]["estimates"] == []
    assert len(told["answers"]["request"]["microphones"]) == len(MICROPHONES.names)
    assert told["answers"]["request"]["room"] is None


def test_microphones_without_a_place_have_none():
    some = Microphones(positions=np.array([[1.0, 2.0, 3.0], [np.nan] * 3]))
    listed = page_data([], some, None, None)["answers"]["request"]["microphones"]
    assert [each["position_m"] for each in listed] == [[1.0, 2.0, 3.0], None]


def test_it_holds_the_sound():
    recorded = Recorded(
        document={"method": "m", "request": {"room": None}, "events": [1]}, duration_s=2.0,
        waves=np.arange(6, dtype=np.uint8).reshape(2, 3), curves=[None, {"lags": 3}], microphone="door", mp3=b"sound",
    )  # fmt: skip
    told = page_data([estimate()], MICROPHONES, ROOM, recorded)
    assert told["answers"]["events"] == [1]
    assert told["answers"]["request"] == {"room": None}
    assert len(told["answers"]["estimates"]) == 1
    assert (told["waves"]["duration_s"], told["waves"]["count"]) == (2.0, 3)
    assert b64decode(told["waves"]["values"]) == bytes(range(6))
    assert told["curves"] == [None, {"lags": 3}]
    assert told["sound"] == {"microphone": "door", "base64": "c291bmQ="}


@pytest.mark.skipif(not WEB.exists(), reason="an installed package has no source of the page")
def test_the_page_is_that_of_its_source():
    """`make page` builds it again after a change in web/."""
    sources = ["index.html", "package-lock.json"]
    sources += [p.relative_to(WEB).as_posix() for p in (WEB / "src").rglob("*") if re.search(r"\.(tsx?|css)$", p.name)]
    content = b"".join((WEB / path).read_bytes() for path in sorted(sources))
    assert f'<meta name="sources" content="{hashlib.sha256(content).hexdigest()}">' in built_page()
