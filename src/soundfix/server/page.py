"""The page, and the recording that it shows to whoever has none at hand."""

from typing import Any

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import HTMLResponse

from soundfix.report.page import built_page
from soundfix.server.example import TYPES, about_example, part_of_example

# All is in the page itself; it asks nobody but this service.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; img-src data: blob:; "
    "media-src blob:; worker-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_page(app: FastAPI) -> None:
    """To the service."""

    @app.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        return HTMLResponse(
            built_page(), headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        )

    @app.get("/example", include_in_schema=False)
    def example() -> dict[str, Any]:
        return about_example()

    @app.get("/example/{name}", include_in_schema=False)
    def part(name: str) -> Response:
        if name not in TYPES:
            raise HTTPException(404, f"no part of the example is called {name[:40]!r}")
        return Response(part_of_example(name), media_type=TYPES[name])
