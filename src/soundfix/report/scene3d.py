"""The same in space: a page of its own that turns with the mouse, and needs no network.

Browsers draw with 24 bits: coordinates far from zero, as UTM has them, are drawn from a round number that the axis names.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from soundfix.atomic import atomic_path
from soundfix.report.canvas import library
from soundfix.report.picture import Picture

ELLIPSOID_90 = 2.5003  # standard deviations that hold 90 % of a Gaussian in space
RINGS, SPOKES = 7, 12  # of an ellipsoid's mesh
MOST_ELLIPSOIDS = 300  # more make the page slow; the others are left out, evenly
FAR_M, ROUND_M = 10_000.0, 1000.0  # from zero 24 bits tell millimetres as far as this; what axes begin with
EDGES = ((0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7))


def write_html(picture: Picture, path: Path) -> None:
    """The scene as one HTML file, with the program that draws it inside."""
    graphs, origin_m = library("plotly.graph_objects"), origin_of(picture.box)
    picture = picture.moved(-origin_m)
    figure = graphs.Figure(
        [
            _room(graphs, picture),
            *_sources(graphs, picture, origin_m),
            *_rays(graphs, picture),
            *_microphones(graphs, picture),
        ]
    )
    figure.update_layout(
        scene={
            "aspectmode": "data",
            **{f"{axis}axis": {"title": _title(axis, start)} for axis, start in zip("xyz", origin_m, strict=True)},
        },
        legend={"orientation": "h", "y": 0.0, "x": 0.0},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        template="plotly_white",
    )
    page = figure.to_html(include_plotlyjs=True, full_html=True)
    with atomic_path(path) as part:
        part.write_text(page, encoding="utf-8")


def origin_of(box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "3"]:
    """Along each axis zero, or a round number below what is far from it."""
    is_far = np.abs(box).max(axis=0) > FAR_M
    return np.where(is_far, ROUND_M * np.floor(box[0] / ROUND_M), 0.0)


def _title(axis: str, start_m: float) -> str:
    return f"{axis} - {start_m:.0f} (m)" if start_m else f"{axis} (m)"


def _room(graphs: Any, picture: Picture) -> Any:
    """The twelve edges of the box; None lifts the pen."""
    corners = np.array([[picture.box[(c >> bit) & 1, axis] for axis, bit in enumerate((2, 1, 0))] for c in range(8)])
    path = [point for a, b in EDGES for point in (corners[a].tolist(), corners[b].tolist(), [None] * 3)]
    x, y, z = zip(*path, strict=True)
    return graphs.Scatter3d(
        x=x, y=y, z=z, mode="lines", line={"color": "#888888", "width": 2}, hoverinfo="skip", name="room"
    )  # fmt: skip


def _microphones(graphs: Any, picture: Picture) -> list[Any]:
    kinds = (
        ("microphone", picture.is_used, {"symbol": "circle", "color": "#222222", "size": 5}),
        ("left out", ~picture.is_used, {"symbol": "x", "color": "#c8102e", "size": 5}),
    )
    return [
        graphs.Scatter3d(
            **_xyz(picture.microphones[chosen]),
            mode="markers+text",
            text=[_plain(caption) for caption, is_chosen in zip(picture.captions, chosen, strict=True) if is_chosen],
            textposition="top center",
            textfont={"size": 11},
            marker=marker,
            name=name,
        )
        for name, chosen, marker in kinds
        if chosen.any()
    ]


def _plain(caption: str) -> str:
    """plotly takes < for the start of a tag."""
    return caption.replace("&", "&amp;").replace("<", "&lt;")


def _sources(graphs: Any, picture: Picture, origin_m: Float[np.ndarray, "3"]) -> list[Any]:
    """Dots coloured by time, hollow where several places explain the sound, and their 90 % ellipsoids."""
    traces = [_ellipsoids(graphs, picture)] if len(picture.positions) else []
    for name, chosen, symbol in (
        ("source", ~picture.is_candidate, "circle"),
        ("one of several places", picture.is_candidate, "circle-open"),
    ):
        if chosen.any():
            traces.append(_dots(graphs, picture, chosen, name, symbol, origin_m))
    return traces


def _dots(
    graphs: Any, picture: Picture, chosen: np.ndarray, name: str, symbol: str, origin_m: Float[np.ndarray, "3"]
) -> Any:
    time_s = picture.time_s[chosen]
    colour = {
        "color": time_s, "colorscale": "Viridis", "cmin": picture.time_s.min(), "cmax": picture.time_s.max() + 1e-9,
        "showscale": picture.windows > 1 and symbol == "circle", "colorbar": {"title": "time (s)", "len": 0.6},
    }  # fmt: skip
    return graphs.Scatter3d(
        **_xyz(picture.positions[chosen]),
        mode="markers",
        marker=colour | {"symbol": symbol, "size": 4},
        customdata=np.column_stack([time_s, picture.positions[chosen] + origin_m]),
        hovertemplate="%{customdata[0]:.2f} s<br>x %{customdata[1]:.2f} m<br>y %{customdata[2]:.2f} m"
        "<br>z %{customdata[3]:.2f} m",
        name=name,
    )


def _rays(graphs: Any, picture: Picture) -> list[Any]:
    """Directions as lines, with the rims of their cones; None lifts the pen."""
    lines = [*picture.rays, *(np.concatenate([rim, rim[:1]]) for rim in picture.cones)]
    if not lines:
        return []
    x, y, z = zip(*(point for line in lines for point in (*line.round(4).tolist(), [None] * 3)), strict=True)
    return [
        graphs.Scatter3d(
            x=x, y=y, z=z, mode="lines", line={"color": "#2a788e", "width": 3}, hoverinfo="skip",
            name="direction, 90 % cone",
        )
    ]  # fmt: skip


def _ellipsoids(graphs: Any, picture: Picture) -> Any:
    """All ellipsoids as one mesh."""
    count = len(picture.positions)
    shown = np.unique(np.linspace(0, count - 1, min(count, MOST_ELLIPSOIDS)).astype(int))
    sphere, triangles = unit_sphere()
    axes = np.linalg.cholesky(picture.covariances[shown] + 1e-12 * np.eye(3))
    vertices = picture.positions[shown, None] + ELLIPSOID_90 * np.einsum("kij,vj->kvi", axes, sphere)
    corners = (triangles + len(sphere) * np.arange(len(shown))[:, None, None]).reshape(-1, 3)
    return graphs.Mesh3d(
        **_xyz(vertices.reshape(-1, 3).round(4)),
        i=corners[:, 0], j=corners[:, 1], k=corners[:, 2],
        color="#2a788e", opacity=0.2, hoverinfo="skip", name="90 % region", showlegend=True,
    )  # fmt: skip


def unit_sphere() -> tuple[Float[np.ndarray, "vertex 3"], Int[np.ndarray, "triangle 3"]]:
    """Vertices and triangles: two poles and RINGS circles of SPOKES between them."""
    polar = np.pi * (np.arange(RINGS) + 1) / (RINGS + 1)
    turn = 2 * np.pi * np.arange(SPOKES) / SPOKES
    ring = np.stack([np.cos(turn), np.sin(turn), np.zeros(SPOKES)], axis=1)
    rings = np.sin(polar)[:, None, None] * ring + np.cos(polar)[:, None, None] * np.array([0.0, 0.0, 1.0])
    vertices = np.concatenate([[[0.0, 0.0, 1.0]], rings.reshape(-1, 3), [[0.0, 0.0, -1.0]]])
    here, there = np.arange(SPOKES), (np.arange(SPOKES) + 1) % SPOKES
    first, last, bottom = 1, 1 + (RINGS - 1) * SPOKES, len(vertices) - 1
    caps = [
        np.stack([here * 0, first + here, first + there], axis=1),
        np.stack([here * 0 + bottom, last + there, last + here], axis=1),
    ]
    bands = [_band(1 + r * SPOKES, here, there) for r in range(RINGS - 1)]
    return vertices, np.concatenate([*caps, *bands])


def _band(start: int, here: np.ndarray, there: np.ndarray) -> Int[np.ndarray, "triangle 3"]:
    """The squares between one circle and the next, each cut in two."""
    a, b, c, d = start + here, start + there, start + SPOKES + here, start + SPOKES + there
    return np.concatenate([np.stack([a, c, b], axis=1), np.stack([b, c, d], axis=1)])


def _xyz(points: Float[np.ndarray, "point 3"]) -> dict[str, np.ndarray]:
    return {"x": points[:, 0], "y": points[:, 1], "z": points[:, 2]}
