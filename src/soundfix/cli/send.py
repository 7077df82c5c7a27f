"""`soundfix send`."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.listen import Rate, SampleFormat, Source
from soundfix.cli.listening import WAIT_S, interrupted, stdin
from soundfix.cli.options import app
from soundfix.cli.terminal import say

if TYPE_CHECKING:
    from soundfix.streaming.sender import Sender
    from soundfix.streaming.sources import Shape


@app.command()
def send(
    source: Source,
    to: Annotated[str, typer.Argument(help="tcp://HOST:PORT or udp://HOST:PORT, where `soundfix listen` is.")],
    microphone: Annotated[list[str], typer.Option("--microphone", help="Its name in the list; one a channel.")],
    rate: Rate = 16_000.0,
    sample_format: SampleFormat = "s16le",
    tell_time: Annotated[
        bool, typer.Option("--tell-time", help="This machine's clock is synchronized (PTP, NTP): use it.")
    ] = False,
) -> None:
    """Send the sound of one or a few microphones to a `soundfix listen` on another machine."""
    from soundfix.streaming.sender import Sender
    from soundfix.streaming.sources import Shape

    shape = Shape(sample_rate=rate, channels=len(microphone), sample_format=sample_format)
    run(source, shape, Sender(to, tuple(microphone), tells_time=tell_time))


def run(text: str, shape: "Shape", sender: "Sender") -> None:
    """Until the source ends, or somebody interrupts it."""
    from soundfix.streaming.inbox import Inbox
    from soundfix.streaming.sources import open_source

    inbox = Inbox()
    with interrupted() as ended, closing(sender), closing(open_source(text, shape, inbox, stdin)):
        while not (inbox.is_over or ended.is_set()):
            for block in inbox.take(WAIT_S):
                sender.send(block)
            for sentence in inbox.sentences():
                say(sentence)
    if sender.lost:
        say(f"{sender.lost} packets were not sent: nobody was there")
