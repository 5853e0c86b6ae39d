"""`onething impact`."""

import re

import pytest

from tests.hall import WORKFLOWS

ANSWERS = ("q_scale=餐饮服务经营者", "q_area=120", "q_fire_mode=告知承诺", "q_music=无")


def figures(output):
    """Before and after by measure."""
    return {name: (int(before), int(after)) for name, before, after in re.findall(r"(\w+) +│ (\d+) +│ (\d+)", output)}


@pytest.fixture
def ask(run):
    return lambda *words: run("impact", *words, ONETHING_WORKFLOWS=str(WORKFLOWS))


def test_impact__restaurant_with_three_items(ask):
    result = ask("open_restaurant", *(word for answer in ANSWERS for word in ("--answer", answer)))

    assert result.exit_code == 0, result.output
    assert result.output.startswith("开办餐饮店 (open_restaurant): 营业执照信息核验、食品经营许可、消防检查（告知承诺）\n")
    assert figures(result.output) == {"steps": (7, 4), "materials": (21, 7), "days": (12, 11), "visits": (5, 2)}
    assert "published with 4 working days" in result.output


@pytest.mark.parametrize("wanted", ["newborn", str(WORKFLOWS / "newborn")])
def test_impact__widest_situation(ask, wanted):
    result = ask(wanted)

    assert result.exit_code == 0, result.output
    assert "q_birthplace = 本市" in result.output
    assert figures(result.output)["days"] == (82, 45)
    assert all(after < before for before, after in figures(result.output).values())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere",), "Expected to find the matter 'nowhere', but"),
        (("food_permit",), "Expected to find the matter 'food_permit', but"),
        (("newborn", "--answer", "q_scale=1"), "but got q_scale"),
        (("open_restaurant", "--answer", "q_area=large"), "but got 'large' (q_area)"),
        (("open_restaurant", "--answer", "q_area=-5"), "Expected a number of 1 or more for 场所建筑面积"),
        (("open_restaurant", "--answer", "q_signboard=yes"), "but got 'yes' (q_signboard)"),
        (("newborn", "--answer", "q_ethnic=是"), "Expected true or false for 父母民族是否相同, but got '是' (q_ethnic)"),
    ],
)
def test_impact__refused(ask, words, message):
    result = ask(*words)

    assert result.exit_code == 1
    assert message in result.output


def test_impact__no_answer(ask):
    assert ask("newborn", "--answer", "q_scale").exit_code == 2
