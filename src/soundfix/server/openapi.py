"""The OpenAPI document, as forms have it: a field that may be left out is left out, and never null."""

from typing import Any

from fastapi import FastAPI

FORMS = ("Locate", "Check", "Calibrate", "Window", "Plan")


def declared(app: FastAPI) -> dict[str, Any]:
    """Made once."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        for name in FORMS:
            fields = document["components"]["schemas"][name]["properties"]
            fields.update({field: without_null(schema) for field, schema in fields.items()})
    return app.openapi_schema or {}


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The one kind beside null that a field may have."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default") or not kinds}
    return kinds[0] | rest if kinds else schema
