"""Debian's Chromium, that draws on the processor and hears a sound card of its own."""

import shutil

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip


def launched(playwright):
    """Running, until somebody closes it."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
