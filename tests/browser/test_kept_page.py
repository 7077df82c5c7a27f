"""A page that was written with its answers in it: opened from a disk, with nobody to ask."""

import json

import numpy as np
import pytest

import soundfix
from helpers.drawings import directed
from helpers.service import LIST, TALKER_M, until
from soundfix.microphones import Microphones
from soundfix.report.page import write_page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(tmp_path_factory, take):
    path = tmp_path_factory.mktemp("page") / "x.html"
    soundfix.locate(take[0], microphones=take[1], method="srp-phat", room=((0, 0, 0), (5, 4, 3))).plot(path)
    return path


def test_it_shows_plays_and_slices(opened, written):
    asked = []
    page = opened("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(written.as_uri())
    page.wait_for_selector(".sources li")
    assert page.title() == "soundfix"
    page.get_by_label("Window after").click()
    assert page.inner_text(".clock").startswith("0:00.75")
    page.get_by_label("Likelihood").select_option("level (z)")
    across, up = page.evaluate("window.soundfix.world.brightest()")
    assert np.hypot(across - TALKER_M[0], up - TALKER_M[1]) < 0.2
    page.get_by_role("button", name="Play", exact=True).click()
    until(lambda: page.evaluate("document.querySelector('.clock').textContent > '0:01.2'"))
    assert page.get_by_label("m2 is on").count() == 0  # nobody is there to answer
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_dark_where_the_system_is(opened, written):
    page = opened(written.as_uri(), color_scheme="dark")
    page.wait_for_selector(".sources li")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(20, 24, 27)"
    page.get_by_role("button", name="Light").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != ground


def test_a_direction_is_shown(opened, tmp_path):
    write_page(tmp_path / "x.html", [directed()], Microphones(positions=np.eye(3)), None)
    page = opened((tmp_path / "x.html").as_uri())
    page.get_by_text("azimuth").wait_for()


def test_far_from_zero_microphones_are_drawn_where_they_are(opened, tmp_path):
    """What graphics keep of 5 930 001.25 in 24 bits is 5 930 001."""
    origin = np.array([371_000.0, 5_930_000.25, 0.0])
    places = np.array([row.split(",")[1:] for row in LIST.splitlines()[1:]], float)
    write_page(tmp_path / "x.html", [], Microphones(positions=places + origin), None)
    page = opened((tmp_path / "x.html").as_uri())
    until(lambda: page.evaluate("window.soundfix?.world.drawn().length"))
    drawn = np.array(page.evaluate("window.soundfix.world.drawn()"))
    assert np.abs(drawn).max() < 2000
    np.testing.assert_allclose(drawn - drawn[0], places - places[0], atol=1e-6)


def test_a_document_can_be_dropped_on_it(opened, written, tmp_path, take):
    located = soundfix.locate(take[0], microphones=take[1], method="srp-phat", hop_s=0.25)
    page = opened(written.as_uri())
    page.wait_for_selector(".sources li")
    page.evaluate(
        """text => {
            const carried = new DataTransfer();
            carried.items.add(new File([text], "x.json"));
            window.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
        }""",
        json.dumps(located.to_dict()),
    )
    until(
        lambda: page.evaluate(f"document.querySelector('h1').textContent.includes('{len(located.estimates)} windows')")
    )
