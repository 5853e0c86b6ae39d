"""Rows of cases and items for tests that need no diagram: everything was received on Monday, 14 September 2026."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from engine.case_models import Case, Item, Notice
from engine.models import Definition, Deployment
from engine.states import ItemStatus

RECEIVED = date(2026, 9, 14)
NOW = datetime(2026, 9, 14, 1, tzinfo=UTC)
#: Ten working days promised, twenty by law.
LIMITS = [{"kind": "promised", "days": 10, "unit": "working"}, {"kind": "statutory", "days": 20, "unit": "working"}]


def new_item(session: Session, case: Case, *, department: str = "food", **particulars: Any) -> Item:
    number = uuid4().hex
    fields = {
        "origin": "native",
        "mode": "review",
        "status": ItemStatus.IN_REVIEW,
        "limits": LIMITS,
        "rules": {},
        "received_on": RECEIVED,
        "joined_at": NOW,
    }
    item = Item(
        **case.key,
        number=number,
        code="food_permit",
        name="食品经营许可",
        department=department,
        applicant_number="1",
        **(fields | particulars),
    )
    session.add(item)
    session.flush()
    return item


def new_case(session: Session) -> Case:
    deployment = Deployment(name="test", source="test", deployed_at=NOW, deployed_by="designer")
    session.add(deployment)
    session.flush()
    definition = Definition(deployment_id=deployment.id, key=uuid4().hex, version=1, name="开办餐饮店", kind="matter", resource="x.bpmn")
    session.add(definition)
    session.flush()
    case = Case(
        number=uuid4().hex,
        region="430100",
        matter="open_restaurant",
        definition_id=definition.id,
        hall="city",
        applicant_number="1",
        applicant={},
        answers={},
        checklist={},
        entry="submit",
        submitted_at=NOW,
        submitted_by="clerk",
    )
    session.add(case)
    session.flush()
    return case


def new_notice(session: Session, case: Case, number: str = "T-1") -> Notice:
    notice = Notice(number=number, **case.key, kind="pause", title="", content={}, issued_at=NOW, issued_by="x")
    session.add(notice)
    session.flush()
    return notice
