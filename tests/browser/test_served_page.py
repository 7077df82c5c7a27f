"""The page in a real browser: recordings go in, answers are seen, heard, changed, and taken away."""

import csv
import json
import re

import numpy as np
import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe

import soundfix
from helpers.service import LIST, PLACES_M, TALKER_M, serving, until

pytestmark = pytest.mark.slow

OF_NOW = ".sources li"


def place(page):
    """Of the answer at the play head, as it is written."""
    return np.array([float(x) for x in re.findall(r"[xyz] (-?[\d.]+) m", page.inner_text(OF_NOW))])


def row(page, name):
    return page.locator(".microphones tr", has=page.get_by_role("button", name=name, exact=True))


def serious(page):
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def saved(page, name):
    page.get_by_text("Save", exact=True).click()
    with page.expect_download() as coming:
        page.get_by_role("button", name=name).click()
    return coming.value.path()


def test_the_example_is_answered(opened, address):
    page = opened(address)
    page.get_by_role("button", name="Show the example").click()
    page.wait_for_selector(OF_NOW)
    page.wait_for_selector(".busy", state="hidden")
    assert "walk.flac · three-stream · 12 windows" in page.inner_text("h1")
    assert "dead" in row(page, "mic4").inner_text()
    assert "mic9: late, its clock is +6.0 ms off" in page.inner_text("aside")
    assert serious(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(opened, address, located, scheme):
    start = opened(address, color_scheme=scheme)
    assert serious(start) == []
    start.get_by_role("button", name="Help").click()
    assert serious(start) == []
    page = located(color_scheme=scheme)
    page.get_by_role("button", name="m1", exact=True).click()
    page.get_by_label("Likelihood").select_option("level (z)")
    assert serious(page) == []
    page.get_by_role("button", name="Plan").click()
    page.wait_for_selector(".sources")
    assert serious(page) == []


def test_a_recording_is_answered_as_by_the_library(located, take):
    page = located()
    expected = soundfix.locate(take[0], microphones=take[1], method="srp-phat", room=((0, 0, 0), (5, 4, 3)))
    np.testing.assert_allclose(place(page), expected.estimates[0].sources[0].position_m, atol=0.006)
    document = json.loads(saved(page, "Answers, JSON").read_text())
    assert document["estimates"] == json.loads(json.dumps(expected.to_dict()["estimates"]))
    rows = list(csv.DictReader(saved(page, "Answers, CSV").read_text().splitlines()))
    assert [float(each["start_s"]) for each in rows] == [each.start_s for each in expected.estimates]
    np.testing.assert_allclose(
        [float(rows[1][k]) for k in ("x_m", "y_m", "z_m")], expected.estimates[1].sources[0].position_m
    )
    assert saved(page, "List of microphones").read_text().splitlines()[1].startswith("m0,0,0,1,")
    assert saved(page, "Picture").read_bytes().startswith(b"\x89PNG")


def test_sound_is_played_while_the_source_moves(located):
    page = located()
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause").wait_for()
    until(lambda: page.evaluate("document.querySelector('.clock').textContent > '0:00.60'"))
    head = page.get_by_role("slider", name="Play head")
    assert float(head.get_attribute("aria-valuenow")) > 0.5
    page.get_by_label("Heard").select_option("m2")  # another channel, from here on
    page.get_by_role("button", name="Play", exact=True).wait_for()  # it ends by itself
    assert page.inner_text(".clock").startswith("0:02.00")
    film = saved(page, "Film, WebM")
    assert film.read_bytes()[:4] == b"\x1a\x45\xdf\xa3"


def test_the_keyboard_is_enough(located):
    page = located()
    head = page.get_by_role("slider", name="Play head")
    head.focus()
    seen = []
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowLeft", "End"):
        page.keyboard.press(key)
        seen.append(head.get_attribute("aria-valuenow"))
    assert seen == ["0.25", "0.75", "1.25", "0.75", "1.75"]
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.get_by_role("button", name="Pause").wait_for()


def test_a_microphone_is_switched_off_moved_and_forgotten(located):
    page = located()
    before = place(page)
    page.get_by_label("m2 is on").click()
    page.wait_for_selector(".asked")
    assert "off" in row(page, "m2").inner_text()
    assert np.linalg.norm(place(page) - TALKER_M) < 0.1
    page.get_by_role("button", name="As before").click()
    page.wait_for_selector(".asked", state="detached")
    np.testing.assert_array_equal(place(page), before)
    page.get_by_label("the place of m4 is known").click()
    row(page, "m4").get_by_text("unknown-position").wait_for()
    page.get_by_role("button", name="As before").click()
    page.get_by_role("button", name="m1", exact=True).click()
    page.get_by_label("x of m1 in metres").fill("4.8")
    page.get_by_label("x of m1 in metres").press("Enter")
    page.wait_for_selector(".asked")
    page.get_by_role("button", name="Locate the whole recording so").click()
    page.wait_for_selector(".busy", state="hidden")
    until(lambda: page.evaluate("document.querySelector('h1').textContent.includes('4 windows')"))
    assert "misplaced" in page.inner_text("aside")


def test_a_microphone_follows_the_mouse(located):
    page = located()
    x, y = page.evaluate(
        """() => {
            const { stage } = window.soundfix.world;
            const at = stage.camera.position.clone().set(4, 3, 1).project(stage.camera);
            const frame = stage.canvas.getBoundingClientRect();
            return [frame.left + ((at.x + 1) / 2) * frame.width, frame.top + ((1 - at.y) / 2) * frame.height];
        }"""
    )
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y + 20, steps=4)
    page.mouse.up()
    page.wait_for_selector(".asked")
    moved = [float(page.get_by_label(f"{axis} of m2 in metres").input_value()) for axis in "xyz"]
    assert moved[2] == 1.0
    assert np.linalg.norm(np.array(moved) - PLACES_M[2]) > 0.3


def test_the_likelihood_is_highest_at_the_source(located):
    page = located()
    page.get_by_label("Likelihood").select_option("level (z)")
    until(lambda: page.evaluate("window.soundfix.world.slice"))
    across, up = page.evaluate("window.soundfix.world.brightest()")
    assert abs(across - TALKER_M[0]) < 0.15
    assert abs(up - TALKER_M[1]) < 0.15


def test_files_are_the_services_to_put_in_order(opened, address, take, tmp_path):
    """A file for each microphone, whose order as text is another, and a list in a third order."""
    audio, rate = soundfile.read(take[0])
    for k in range(6):
        soundfile.write(tmp_path / f"mic{k + 7}.wav", audio[:, k], rate, subtype="FLOAT")
    rows = [f"mic{k + 7},{x},{y},{z}" for k, (x, y, z) in enumerate(PLACES_M)]
    (tmp_path / "list.csv").write_text("\n".join(["name,x,y,z", *rows[3:], *rows[:3]]))
    page = opened(address)
    page.get_by_label("Recording").set_input_files(sorted(tmp_path.glob("*.wav")))
    page.get_by_label("List of microphones").set_input_files(tmp_path / "list.csv")
    page.get_by_role("button", name="Locate", exact=True).click()
    page.get_by_role("button", name="Play", exact=True).wait_for()
    page.wait_for_selector(".busy", state="hidden")
    before = place(page)
    page.get_by_label("mic12 is on").click()
    page.wait_for_selector(".asked")
    assert np.linalg.norm(place(page) - TALKER_M) < 0.1
    assert np.linalg.norm(place(page) - before) < 0.05
    assert not [bad for bad in ("late", "misplaced", "excluded", "noisy") if bad in page.inner_text(".microphones")]
    page.get_by_role("button", name="Locate the whole recording so").click()
    page.wait_for_selector(".busy", state="hidden")
    assert "off" in row(page, "mic12").inner_text()
    assert np.linalg.norm(place(page) - TALKER_M) < 0.1
    page.get_by_label("mic12 is on").click()  # and on again
    page.wait_for_selector(".asked")


def test_nothing_goes_on_when_something_else_is_opened(located):
    page = located()
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Live", exact=True).click()
    page.get_by_role("button", name="Listen", exact=True).click()
    page.get_by_text("ms after its window").wait_for()
    page.get_by_role("button", name="Example", exact=True).click()
    page.wait_for_selector(OF_NOW)
    page.wait_for_selector(".busy", state="hidden")
    assert "walk.flac · srp-phat · 12 windows" in page.inner_text("h1")
    page.wait_for_timeout(1500)
    assert "12 windows" in page.inner_text("h1")
    assert page.inner_text(".clock").startswith("0:00.00")


def test_live_sound_is_answered_while_it_sounds(located):
    page = located()
    page.get_by_role("button", name="Live", exact=True).click()
    page.get_by_role("button", name="Listen", exact=True).click()
    page.wait_for_selector(".levels i")
    page.get_by_text("ms after its window").wait_for()
    page.get_by_role("button", name="Locate what was heard").click()
    page.wait_for_selector(".busy", state="hidden")
    assert "live.wav" in page.inner_text("h1")
    assert np.linalg.norm(place(page) - TALKER_M) < 0.1


def test_a_sound_card_with_too_few_channels_says_so(opened, address, tmp_path):
    page = opened(address)
    page.get_by_role("button", name="Live", exact=True).click()
    (tmp_path / "list.csv").write_text(LIST)
    page.get_by_label("List of its microphones").set_input_files(tmp_path / "list.csv")
    page.get_by_role("button", name="Listen", exact=True).click()
    page.get_by_text(re.compile(r"the list has channels up to 6, the device [12] channels?")).wait_for()


def test_a_sound_card_is_heard(opened, address, tmp_path):
    """The browser's own: a beep. One microphone places nothing, and that is said."""
    page = opened(address)
    page.get_by_role("button", name="Live", exact=True).click()
    (tmp_path / "list.csv").write_text("name,x,y,z\nalone,0,0,1\n")
    page.get_by_label("List of its microphones").set_input_files(tmp_path / "list.csv")
    page.get_by_role("button", name="Listen", exact=True).click()
    page.wait_for_selector(".levels i")
    page.get_by_text("no answer").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Locate what was heard").wait_for()


def test_an_array_is_planned(opened, address):
    page = opened(address)
    page.get_by_role("button", name="Plan").click()
    page.wait_for_selector(".sources")
    whole = page.inner_text(".sources")
    page.get_by_label("Dead").select_option(index=1)
    until(lambda: page.inner_text(".sources") != whole)
    page.get_by_label("Dead").select_option(index=0)
    until(lambda: page.inner_text(".sources") == whole)
    page.get_by_label("Error of an arrival").fill("10")
    page.get_by_label("Error of an arrival").press("Enter")
    until(lambda: page.inner_text(".sources") != whole)
    page.get_by_role("button", name="Add a microphone").click()
    assert page.locator(".microphones tbody tr th").count() == 9
    page.get_by_role("button", name="Take it away").click()
    assert page.locator(".microphones tbody tr th").count() == 8


def test_on_a_phone_nothing_is_cut_off(located):
    page = located(viewport={"width": 390, "height": 844}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Play", exact=True).tap()
    page.get_by_label("m2 is on").scroll_into_view_if_needed()
    assert page.get_by_label("m2 is on").is_visible()


def test_what_is_wrong_is_said(opened, address, take, tmp_path):
    page = opened(address)
    (tmp_path / "list.csv").write_text("name,x,y,z\nm0,0,0,nowhere\n")
    page.get_by_label("Recording").set_input_files(take[0])
    page.get_by_label("List of microphones").set_input_files(tmp_path / "list.csv")
    with page.expect_event("console"):  # the browser itself notes the status 422
        page.get_by_role("button", name="Locate", exact=True).click()
    page.get_by_role("alert").wait_for()
    assert "list.csv" in page.get_by_role("alert").inner_text()
    page.get_by_role("button", name="Dismiss").click()


def test_an_address_leads_back_to_its_answers(located):
    page = located()
    before = place(page)
    page.reload()
    page.wait_for_selector(OF_NOW)
    page.wait_for_selector(".busy", state="hidden")
    np.testing.assert_array_equal(place(page), before)
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_role("button", name="Show the example").wait_for()
    page.reload()
    page.get_by_role("button", name="Show the example").wait_for()


def test_a_token_is_asked_for(opened, tmp_path):
    with serving(tmp_path / "s", SOUNDFIX_TOKEN="secret") as (_, client):
        page = opened(str(client.base_url))
        page.get_by_label("The token of this service").fill("secret")
        page.get_by_role("button", name="Use it").click()
        page.get_by_role("button", name="Show the example").click()
        page.wait_for_selector(OF_NOW)
