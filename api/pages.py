"""The plain pages: what is offered, where a case is, and the reference.  They work without scripts and without the internet."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template

from api import auth, openapi, problems, reference

bp = Blueprint("pages", __name__)


@bp.get("/reference")
@auth.public
def show_reference() -> str:
    """Show the reference of `/api/v1`."""
    document = openapi.document(current_app)
    return render_template(
        "reference.html",
        document=document,
        sections=reference.sections(document),
        shapes=reference.shapes(document),
        problems=problems.catalogue(),
    )
