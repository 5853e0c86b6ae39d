"""What may be answered to a question of a situation."""

import pytest

from bpmn.matter import questions

AREA = {"id": "area", "ask": "面积", "type": "number", "min": 1, "max": None}


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (AREA, -5, "Expected a number of 1 or more for 面积, but got -5"),
        (AREA, 0.5, "Expected a number of 1 or more for 面积, but got 0.5"),
        (AREA, "120", "Expected a number for 面积, but got '120'"),
        (AREA | {"max": 9}, 10, "Expected a number from 1 to 9 for 面积, but got 10"),
        (AREA | {"min": None, "max": 9}, 10, "Expected a number of 9 or less for 面积, but got 10"),
        (AREA | {"type": "date"}, "明天", "Expected a day of the calendar such as 2026-03-01 for 面积, but got '明天'"),
        (AREA | {"type": "date"}, "2026-02-30", "Expected a day of the calendar"),
        (AREA | {"type": "date"}, "20260228", "Expected a day of the calendar"),
        (AREA | {"type": "date"}, "２０２６-02-28", "Expected a day of the calendar"),
        (AREA | {"type": "date"}, 20260228, "Expected a day of the calendar"),
        (AREA | {"type": "text"}, {"a": 1}, "Expected a text for 面积, but got {'a': 1}"),
        (AREA | {"type": "region"}, 430100, "Expected a text for 面积, but got 430100"),
        (AREA | {"type": "multi", "options": "大,小"}, ["大", "中"], "Expected one of 大、小 for 面积, but got '中'"),
    ],
)
def test_refusal__what_may_not_be_answered(question, answer, expected):
    assert questions.refusal(question, answer).startswith(expected)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (AREA, 1),
        (AREA, 1e9),
        (AREA | {"min": "1"}, -5),  # lint says that this is no bound
        (AREA | {"min": 0, "max": 0}, 0),
        (AREA | {"type": "date"}, "2028-02-29"),
        (AREA | {"type": "text"}, "120"),
        (AREA | {"type": "derived"}, None),
        (AREA | {"type": "multi", "options": ["大", "小"]}, []),
    ],
)
def test_refusal__what_may(question, answer):
    assert questions.refusal(question, answer) == ""
