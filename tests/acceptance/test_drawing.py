"""What is drawn is what happens: moving a flow in the file changes the course of new cases, and no Python is touched."""

from tests.acceptance.applicants import restaurant
from tests.hall import WORKFLOWS, items, open_tasks

FOLDER = WORKFLOWS / "open-restaurant"


def redraw(hall, *changes):
    """Deploy the restaurant's folder again, with some texts of its diagram replaced."""
    files = {f.name: f.read_text(encoding="utf-8") for f in FOLDER.iterdir() if f.suffix in {".bpmn", ".dmn", ".form"}}
    for before, after in changes:
        assert before in files["open-restaurant.bpmn"]
        files["open-restaurant.bpmn"] = files["open-restaurant.bpmn"].replace(before, after)
    posted = [{"name": name, "content": content} for name, content in files.items()]
    return hall["designer"].post("/deployments", {"name": "open-restaurant", "files": posted})


def decide_everything(hall, case):
    hall["officer-fire"].complete(case, "消防承诺审查", outcome="granted")
    hall["officer-market"].complete(case, "食品经营许可审批", outcome="granted")


def test_drawing__a_flow_moved_past_the_issuance(hall, clerk):
    """Results of new cases are not issued at the window any more: the flow leads past it, to the rating."""
    before = clerk.submit(**restaurant())
    redraw(
        hall,
        (
            'id="joint_to_issuable" sourceRef="joint" targetRef="issuable"',
            'id="joint_to_issuable" sourceRef="joint" targetRef="handed_out"',
        ),
        (
            "<bpmn:incoming>issue_to_handed_out</bpmn:incoming>",
            "<bpmn:incoming>issue_to_handed_out</bpmn:incoming><bpmn:incoming>joint_to_issuable</bpmn:incoming>",
        ),
        ("<bpmn:incoming>joint_to_issuable</bpmn:incoming>\n      <bpmn:outgoing>issuable_to_issue", "<bpmn:outgoing>issuable_to_issue"),
    )
    after = clerk.submit(**restaurant())
    for case in (before, after):
        clerk.complete(case, "一窗受理", outcome="accept")
        decide_everything(hall, case)

    assert open_tasks(clerk.case(before))["window"] == ["统一出件"]  # a running case keeps the drawing it began with
    assert open_tasks(clerk.case(after))["window"] == ["好差评"]


def test_drawing__a_condition_sends_tolerated_cases_elsewhere(hall, clerk):
    """The same choice of the clerk leads to another task, because the gateway says so."""
    redraw(
        hall,
        ("${outcome == 'accept' or outcome == 'tolerate'}", "${outcome == 'accept'}"),
        ("${outcome == 'supplement'}", "${outcome == 'supplement' or outcome == 'tolerate'}"),
    )
    case = clerk.submit(**restaurant(without=["m_plan"]))

    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)

    assert open_tasks(clerk.case(case)) == {"window": ["补正材料"]}
    assert set(items(clerk.case(case)).values()) == {"accepted"}  # no department was given anything


def test_drawing__the_configured_end_of_a_tolerance(hall, clerk):
    """Terminated instead of returned, by a property of the step."""
    redraw(hall, ('name="onething.outcome" value="returned"', 'name="onething.outcome" value="terminated"'))
    case = clerk.submit(**restaurant(without=["m_plan"]))
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)

    for day in ("2026-03-04", "2026-03-20", "2026-04-20"):
        hall.at(f"{day}T10:00:00")

    assert items(clerk.case(case))["food_permit"] == "terminated"


def test_drawing__a_figure_in_the_table(hall, clerk):
    """The local fire threshold is a parameter: 60 ㎡ need no fire check where the table says 300."""
    threshold = next(
        text for text in (FOLDER / "open-restaurant.dmn").read_text(encoding="utf-8").split("<text>") if text.startswith("50<")
    )
    files = {f.name: f.read_text(encoding="utf-8") for f in FOLDER.iterdir() if f.suffix in {".bpmn", ".dmn", ".form"}}
    small = clerk.post("/matters/open_restaurant/checklist", {"answers": restaurant(q_area=60)["answers"]})
    assert "fire_check_commit" in {item["code"] for item in small["items"]}

    files["open-restaurant.dmn"] = files["open-restaurant.dmn"].replace(f"<text>{threshold}", f"<text>{threshold.replace('50', '300', 1)}")
    hall["designer"].post(
        "/deployments", {"name": "open-restaurant", "files": [{"name": name, "content": content} for name, content in files.items()]}
    )

    small = clerk.post("/matters/open_restaurant/checklist", {"answers": restaurant(q_area=60)["answers"]})
    assert "fire_check_commit" not in {item["code"] for item in small["items"]}


def test_drawing__a_table_asks_for_the_day(hall, clerk):
    """A local rule with a date of its own: the item is called for from that day on."""
    files = {f.name: f.read_text(encoding="utf-8") for f in FOLDER.iterdir() if f.suffix in {".bpmn", ".dmn", ".form"}}
    table = files["open-restaurant.dmn"]
    assert table.count(">50</text>") == 1  # the threshold, the one figure of this kind
    files["open-restaurant.dmn"] = table.replace(">50</text>", '>if today() &lt; date("2026-04-01") then 50 else 300</text>')
    posted = [{"name": name, "content": content} for name, content in files.items()]
    hall["designer"].post("/deployments", {"name": "open-restaurant", "files": posted})

    def called_for():
        told = clerk.post("/matters/open_restaurant/checklist", {"answers": restaurant(q_area=60)["answers"]})
        return {item["code"] for item in told["items"]}

    assert "fire_check_commit" in called_for()
    hall.at("2026-04-01T09:00:00")
    assert "fire_check_commit" not in called_for()
