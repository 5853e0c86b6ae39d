"""Made-up applicants (their numbers have valid check digits), and bundles as they submit them."""

RESTAURANT = {
    "kind": "enterprise",
    "name": "长沙湘味小馆餐饮有限公司",
    "id_number": "91430100MA4L0F1A22",
    "phone": "13800000001",
    "contact": "周明远",
    "licence_status": "存续",
}
MOTHER = {"kind": "person", "name": "许文清", "id_number": "430105198809211448", "phone": "13900000002"}

ANSWERS = {
    "q_scale": "餐饮服务经营者",
    "q_area": 120,
    "q_fire_mode": "告知承诺",
    "q_signboard": "否",
    "q_fumes": "否",
    "q_gas": "电",
    "q_drain": "否",
    "q_music": ["无"],
    "q_tobacco": "否",
}
BORN_ELSEWHERE = {
    "q_birthplace": "省外",
    "q_wedlock": "婚生",
    "q_hukou_kind": "家庭户随母",
    "q_multi": 1,
    "q_applicant": "母亲",
    "q_card_bank": "邮寄不激活金融功能",
    "q_ethnic": True,
    "q_mat_ins": False,
}
#: Everything a restaurant with a fire check by commitment must hand in itself.
MATERIALS = ("m_layout_food", "m_food_rules", "m_plan", "m_fire_rules", "m_premises", "m_evac", "m_fireplan")


def restaurant(*, without=(), materials=MATERIALS, applicant=RESTAURANT, **answers):
    """A restaurant's bundle; `without` names materials that are missing."""
    return {
        "matter": "open_restaurant",
        "hall": "changsha",
        "applicant": applicant,
        "answers": ANSWERS | answers,
        "materials": [code for code in materials if code not in without],
    }


def newborn(**answers):
    """The bundle of a child born in another province."""
    return {
        "matter": "newborn",
        "hall": "changsha",
        "applicant": MOTHER,
        "answers": BORN_ELSEWHERE | answers,
        "materials": ["n_marriage"],
    }


def single(code, *, materials=(), applicant=RESTAURANT, answers=None):
    """One item alone."""
    return {
        "matter": code,
        "hall": "changsha",
        "applicant": applicant,
        "answers": answers if answers is not None else ANSWERS,
        "materials": list(materials),
    }
