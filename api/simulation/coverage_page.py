"""The page that shows what was reached: the drawings, coloured, and the walks; one file, without anything from outside."""

from __future__ import annotations

from collections.abc import Mapping

from flask import render_template
from markupsafe import Markup

from api.simulation import report
from api.simulation.plays import Played
from api.simulation.stage import Stage

#: What the paths that were not taken are called, by what is known of them.
HEADINGS = {
    "impossible": "不可能走的路径（条件互相矛盾）",
    "impossible with the sample data": "用示例数据走不到的路径（所有情形都已走过）",
    "open": "尚未走过的路径（走查次数用完）",
    "not taken": "场景没有走过的路径",
}


def written(stage: Stage, played: Mapping[str, Played]) -> str:
    """Write the page."""
    shown = [
        {
            "tried": each,
            "parts": f"{report.parts(each)}; {report.taken(each)}",
            "untaken": report.untaken(each, played.get(each.key, Played())),
            # The drawing is made of elements, never of text: what stands in the diagram is escaped.
            "drawing": Markup(each.drawing()),  # noqa: S704
            "played": played.get(each.key, Played()),
        }
        for each in stage.tried
    ]
    with stage.hall.app.app_context():
        return render_template("coverage.html", shown=shown, way=report.way, headings=HEADINGS)
