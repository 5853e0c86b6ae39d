"""`onething simulate`: what is judged, and how often."""

from __future__ import annotations

from api.simulation.walks import Walker
from tests.api.cli.simulating import coverage, option
from tests.bpmn.diagrams import end, exclusive, flows, start, task, user

GATES = 4


def test_simulate__what_was_put_off_is_judged_once_for_each_choice(simulate, drawn, monkeypatch):
    """What became worse meanwhile is put further off with what is known of it then."""
    parts, ways, last = [start("s")], [], "s"
    for n in range(GATES):
        parts += [
            user(f"t{n}", form="work", groups="window"),
            exclusive(f"g{n}", default=f"b{n}"),
            task(f"a{n}"),
            task(f"b{n}"),
            task(f"j{n}"),
        ]
        ways += [f"{last} -> t{n} -> g{n}", f"g{n} -> a{n} -> j{n} [${{kind == 'a'}}]", f"g{n} -> b{n} -> j{n}"]
        last = f"j{n}"
    file = drawn(*parts, end("e"), flows(*ways, f"{last} -> e"), fields=[option("kind", "a", "b")])
    judged: list[int] = []
    twice: list[int] = []
    order, following = Walker._order, Walker.next

    def noted(self, branch):
        judged.append(id(branch))
        return order(self, branch)

    def once(self):
        judged.clear()
        found = following(self)
        twice.append(len(judged) - len(set(judged)))
        return found

    monkeypatch.setattr(Walker, "_order", noted)
    monkeypatch.setattr(Walker, "next", once)

    result = simulate(file)

    assert coverage(result) == {"p": 100}
    assert len(twice) > 2**GATES
    assert sum(twice) == 0
