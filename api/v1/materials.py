"""Materials (材料): hand them in as files or as data; one upload serves every item that needs it."""

from __future__ import annotations

from flask import Blueprint, Response, request, send_file, url_for

from api import auth, parsing, parts
from api.contract import answer, contract
from api.shapes import Body, Data, Line, Shape
from api.transactions import before_transaction, reading_case, transaction
from api.v1 import present
from api.v1.papers import MaterialShown
from engine import cases, materials, rejections
from engine.case_models import Case, Item
from engine.errors import NotFound
from engine.materials import StoredFile

bp = Blueprint("materials", __name__, url_prefix="/cases/<number>/materials")


class MaterialData(Body):
    """A material as data; without `fields` it is noted as seen on paper."""

    #: Code of the requirement in the checklist.
    code: Line
    #: What it says; null: it was seen on paper.
    fields: Data | None = None


class MaterialUpload(Body):
    """What goes with a file."""

    code: Line


class MaterialList(Shape):
    """Materials of a case."""

    data: list[MaterialShown]


@bp.post("")
@contract(
    summary="提交材料 · Hand a material in", body=MaterialData, form=MaterialUpload, answer=MaterialShown, status=201, problems=(409,)
)
def hand_in(number: str, body: MaterialData | MaterialUpload) -> Response:
    """Take a material in, give it to the items that need it, and close the tolerance that waits for it."""
    actor = auth.actor()
    # Before the transaction: nobody shall wait for a lock while a file comes in.
    with before_transaction():
        file = _keep() if isinstance(body, MaterialUpload) else None
    fields = body.fields if isinstance(body, MaterialData) else None
    with transaction() as session:
        row = materials.hand_in(session, cases.get(session, number, actor), body.code, actor=actor, file=file, fields=fields)
        return answer(present.material(row, {}), location=url_for("v1.materials.get_material", number=number, no=row.no))


@bp.get("")
@contract(summary="材料列表 · List materials", answer=MaterialList)
def list_materials(number: str) -> Response:
    """List the materials of a case, as far as they are yours to see."""
    with reading_case(number) as session:
        case = cases.get(session, number, auth.actor())
        mine = _mine(case)
        rejected = rejections.of_case(session, case, mine)
        return answer({"data": [present.material(row, rejected) for row in materials.of_case(session, case, mine)]})


@bp.get("/<int:no>")
@contract(summary="材料信息 · One material", answer=MaterialShown)
def get_material(number: str, no: int) -> Response:
    """Give what is known of a material; its file is at `/file`."""
    with reading_case(number) as session:
        case = cases.get(session, number, auth.actor())
        mine = _mine(case)
        return answer(present.material(materials.get(session, case, no, mine), rejections.of_case(session, case, mine)))


@bp.get("/<int:no>/file")
@contract(summary="材料文件 · File of a material", answer=None, media_type="*/*")
def get_file(number: str, no: int) -> Response:
    """Give the file, to be saved and never shown in the page."""
    with reading_case(number) as session:
        case = cases.get(session, number, auth.actor())
        row = materials.get(session, case, no, _mine(case))
        if row.sha256 is None:
            raise NotFound(f"Expected material {no} of case {number} to have a file, but it was handed in without one")
        path = parts.files().path(row.sha256)
    return send_file(path, mimetype=row.media_type, as_attachment=True, download_name=row.filename)


def _mine(case: Case) -> list[Item] | None:
    """Give the items whose materials are the actor's to see; None: all materials are."""
    actor = auth.actor()
    return None if cases.sees_whole(case, actor) else cases.items_for(case, actor)


def _keep() -> StoredFile:
    part = request.files[parsing.FILE]
    return parts.files().keep(part.stream, part.filename or "")
