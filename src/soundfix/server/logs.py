"""What the service says of itself: a JSON object a line, on standard error."""

import json
import sys
from datetime import UTC, datetime


def log(event: str, **told: object) -> None:
    """One line; of names and sentences that come from outside only what JSON makes of them."""
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event} | told
    print(json.dumps(line, default=str), file=sys.stderr, flush=True)
