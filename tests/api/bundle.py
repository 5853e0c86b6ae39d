"""A restaurant bundle, in a few words."""

ANSWERS = {
    "q_scale": "餐饮服务经营者",
    "q_area": 120,
    "q_fire_mode": "一般程序",
    "q_signboard": "否",
    "q_fumes": "否",
    "q_gas": "电",
    "q_drain": "否",
    "q_music": ["无"],
    "q_tobacco": "否",
}
MATERIALS = ["m_layout_food", "m_food_rules", "m_plan", "m_fire_rules", "m_premises", "m_evac", "m_fireplan", "m_fire_decl"]
APPLICANT = {
    "kind": "enterprise",
    "name": "长沙湘味小馆餐饮有限公司",
    "id_number": "91430100MA4L0F1A22",
    "phone": "13800000001",
    "contact": "周明远",
    "licence_status": "存续",
}


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
