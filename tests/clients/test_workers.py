"""Workers of Camunda 7, in the languages that they come in: each task is done once, whatever becomes of its worker."""

import pytest

from tests.bpmn import diagrams as d
from tests.clients.conftest import CLIENTS, wait_until


def one_task(topic, key):
    return d.diagram(
        d.start("s"), d.external("print", topic=topic), d.user("look"), d.end("e"), d.flows("s -> print -> look -> e"), key=key
    )


@pytest.fixture
def started(server, topic):
    """Start processes that wait for a worker of the topic."""

    def start(count=1):
        server.deploy(one_task(topic, topic))
        return server.start(topic, count, n=1)

    return start


@pytest.mark.parametrize("client", CLIENTS)
def test_three_at_once__each_task_is_done_once(server, workers, started, topic, client):
    for number in range(3):
        workers.start(client, f"w{number}", topic)
    instances = started(30)

    wait_until(lambda: not server.tasks(topic))
    wait_until(lambda: sum(map(len, workers.done.values())) >= 30)
    workers.stop()

    done = [task for tasks in workers.done.values() for task in tasks]
    assert len(done) == len(set(done)) == len(instances)


def test_three_languages__each_task_is_done_once(server, workers, started, topic):
    instances = started(30)
    for client in CLIENTS:
        workers.start(client, client, topic)

    wait_until(lambda: not server.tasks(topic))
    wait_until(lambda: sum(map(len, workers.done.values())) >= 30)
    workers.stop()

    done = [task for tasks in workers.done.values() for task in tasks]
    assert len(done) == len(set(done)) == len(instances)


@pytest.mark.parametrize("client", CLIENTS)
def test_worker__dies(server, workers, started, topic, client):
    started()
    dead = workers.start(client, "dead", topic, "die")
    dead.wait(60)
    (locked,) = server.tasks(topic)

    workers.start(client, "alive", topic)

    wait_until(lambda: workers.done["alive"])
    assert locked["workerId"] == "dead"
    assert workers.done["alive"] == [locked["id"]]


@pytest.mark.parametrize("client", CLIENTS)
def test_worker__fails_until_no_retries_are_left(server, workers, started, topic, client):
    started()
    workers.start(client, "w", topic, "fail")

    wait_until(lambda: server.tasks(topic)[0]["retries"] == 0)

    (task,) = server.tasks(topic)
    _, incidents = server.call("GET", "/api/v1/incidents")
    assert (task["errorMessage"], task["workerId"]) == ("no paper", "w")
    assert [i["message"] for i in incidents["data"] if i["element"] == "print" and i["resolved_at"] is None][-1] == "no paper"
    assert len(workers.done["w"]) == 2


@pytest.mark.parametrize("client", CLIENTS)
def test_worker__raises_an_error_that_the_diagram_catches(server, workers, topic, client):
    caught = d.diagram(
        d.start("s"), d.external("print", topic=topic), d.error_boundary("no", on="print", error="REFUSED"), d.external("mend", topic=f"{topic}-mend"), d.end("e"),
        d.flows("s -> print -> e", "no -> mend -> e"), key=topic,
    )  # fmt: skip
    server.deploy(caught)
    server.start(topic)

    workers.start(client, "w", topic, "error")

    wait_until(lambda: server.tasks(f"{topic}-mend"))
    assert server.tasks(topic) == []


def test_task__was_cancelled(server, topic):
    cancelled = d.diagram(
        d.start("s"), d.parallel("f"), d.external("print", topic=topic), d.external("stop", topic=f"{topic}-stop"), d.end("x", terminate=True), d.end("e"),
        d.flows("s -> f -> print -> e", "f -> stop -> x"), key=topic,
    )  # fmt: skip
    server.deploy(cancelled)
    server.start(topic)
    fetched = [
        server.engine(
            "POST", "/external-task/fetchAndLock", {"workerId": "w", "maxTasks": 1, "topics": [{"topicName": name, "lockDuration": 10_000}]}
        )[1][0]["id"]
        for name in (topic, f"{topic}-stop")
    ]

    statuses = [server.engine("POST", f"/external-task/{task}/complete", {"workerId": "w"})[0] for task in reversed(fetched)]

    assert statuses == [204, 404]
