"""The watch over the order of locks finds what could make two transactions wait for each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.locks import Course, Locks, Row

BUNDLE, ITEM, OTHER = Row("instances", ("bundle",)), Row("instances", ("item",), "bundle"), Row("instances", ("other",))
BEGUN, NOT_BEGUN = Row("items", ("begun",), "item"), Row("items", ("not begun",))
THIS, COMMON = replace(BUNDLE, case="this", bundle=True), Row("commitments", ("promise",), case="this")
TASK, JOB, COUNTER = Row("tasks", ("task",), "item"), Row("jobs", ("job",), "item"), Row("counters", ("number",))


def found(*courses, made=()):
    locks = Locks()
    locks.courses = [Course(taken=list(taken), made=set(made)) for taken in courses]
    return list(locks.violations())


@pytest.mark.parametrize(
    "course",
    [
        (BUNDLE, ITEM, TASK),  # parent before child; what is the child's is governed by it
        (ITEM, TASK, OTHER),  # of another kind, and always in this order
        (JOB, ITEM, TASK),  # claimed first, and nobody waits for it
        (TASK,),  # claimed by somebody, and nothing else
        (BUNDLE, replace(JOB, free=True), ITEM, TASK),  # so is what it is owed, which it claims when it is held
        (BUNDLE, COUNTER),
        (BUNDLE, ITEM, BEGUN),
        (BUNDLE, BEGUN),  # whoever holds the process writes it, and wants no bundle
        (BUNDLE, NOT_BEGUN, ITEM),
        (THIS, COMMON, ITEM),
        (OTHER, COMMON),  # whoever holds an instance alone may write it, and wants no bundle
    ],
)
def test_violations__none(course):
    assert found(course) == []


@pytest.mark.parametrize(
    ("course", "says"),
    [
        ((ITEM, BUNDLE), "to be locked before those that it has called"),
        ((TASK, ITEM), "Expected no instance to be locked after tasks"),
        ((COUNTER, BUNDLE), "Expected no instance to be locked after counters"),
        ((OTHER, COMMON, THIS), "to be locked before what is common to its items"),
        ((BUNDLE, BEGUN, ITEM), "to be locked before its item"),
        ((ITEM, JOB), "Expected no job to be waited for by whoever holds an instance"),
    ],
)
def test_violations__within_a_transaction(course, says):
    [violation] = found(course)

    assert says in violation


def test_violations__between_two_transactions():
    assert len(found((BUNDLE, OTHER), (OTHER, BUNDLE))) == 2


def test_violations__who_claims_waits_for_nobody():
    locks = Locks()
    locks.courses = [Course(taken=[OTHER, BUNDLE]), Course(taken=[ITEM, BUNDLE, OTHER], claims=True)]

    assert list(locks.violations()) == []


def test_violations__what_is_new_is_nobody_elses():
    assert found((TASK, OTHER), made={("instances", ("item",))}) == []
