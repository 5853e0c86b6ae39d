"""A restaurant bundle, in a few words."""

from tests.acceptance import applicants

ANSWERS = applicants.ANSWERS | {"q_fire_mode": "一般程序"}
MATERIALS = [*applicants.MATERIALS, "m_fire_decl"]
APPLICANT = applicants.RESTAURANT


def submission(**changes):
    return {"matter": "open_restaurant", "applicant": APPLICANT, "answers": ANSWERS, "materials": MATERIALS} | changes


def submit(clerk, **changes):
    answer = clerk.post("/cases", submission(**changes))
    assert answer.status_code == 201, answer.json
    return answer.json


def task(caller, case, name):
    """The open task of that name."""
    return next(t for t in caller.get(f"/tasks?case={case['number']}&limit=200").json["data"] if t["name"] == name)


def complete(caller, case, name, **data):
    answer = caller.post(f"/tasks/{task(caller, case, name)['id']}/complete", data)
    assert answer.status_code == 200, answer.json
    return answer.json


def accepted(clerk):
    """A case whose departments work."""
    case = submit(clerk)
    complete(clerk, case, "一窗受理", outcome="accept")
    return clerk.get(f"/cases/{case['number']}").json


def item(case, code):
    return next(found for found in reversed(case["items"]) if found["code"] == code)
