"""What a called process begins with."""

from engine import called_items, functions
from engine.case_models import Case


def test_applicant_facts__are_known_to_lint():
    """Otherwise it would warn of variables that are there."""
    case = Case(applicant={"kind": "enterprise", "name": "湘味小馆"}, applicant_number="91430100MA4L0F1A22")

    assert set(called_items.applicant_facts(case)) <= functions.VARIABLES
