"""A browser, a service, and pages that are asked whether anything went wrong in them."""

import os
from contextlib import contextmanager

import pytest

from helpers.browser import CHROMIUM, launched
from helpers.service import LIST, recording, serving

WANTED = bool(os.environ.get("ALL_PROGRAMS"))  # where it is installed for these tests, they must not be passed over
# A picture is saved where the processor draws; the browser itself notes what was refused, which the page says in words.
HARMLESS = ("GPU stall due to ReadPixels", "status of 401", "status of 422")


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None and not WANTED:
        pytest.skip("no chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = launched(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory, browser):
    with serving(tmp_path_factory.mktemp("service")) as (_, client):
        yield str(client.base_url)


@pytest.fixture(scope="session")
def take(tmp_path_factory):
    """Six microphones, two seconds, nothing wrong; and their list."""
    folder = tmp_path_factory.mktemp("take")
    (folder / "list.csv").write_text(LIST)
    return recording(folder / "take.wav", seconds=2.0), folder / "list.csv"


@pytest.fixture
def opened(browser):
    """Open an address as somebody has it (width, dark or light); in the end nothing has gone wrong in any."""
    contexts, said = [], []

    @contextmanager
    def no_errors():
        yield
        wrong = [text for text in said if not any(known in text for known in HARMLESS)]
        assert wrong == []

    def page(address, **how):
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | how))
        contexts.append(context)
        new = context.new_page()
        new.set_default_timeout(60_000)
        new.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        new.on("pageerror", lambda error: said.append(str(error)))
        new.goto(address)
        return new

    with no_errors():
        yield page
    for context in contexts:
        context.close()


@pytest.fixture
def located(opened, address, take):
    """A page that shows the answers to a take of its own."""

    def page(**how):
        new = opened(address, **how)
        new.get_by_text("What is known of the place").click()
        new.get_by_label("Method").select_option("srp-phat")
        new.get_by_label("Room or search").fill("0,0,0,5,4,3")
        new.get_by_label("Recording").set_input_files(take[0])
        new.get_by_label("List of microphones").set_input_files(take[1])
        new.get_by_role("button", name="Locate", exact=True).click()
        new.wait_for_selector(".sources li")
        new.wait_for_selector(".busy", state="hidden")
        return new

    return page
