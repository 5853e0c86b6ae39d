"""The shipped server holds two hundred workers who wait, and answers everybody else meanwhile."""

import threading
import time

POLLS = 200


def poll(server, topic, number):
    asked = {
        "workerId": f"w{number}",
        "maxTasks": 1,
        "asyncResponseTimeout": 25_000,
        "topics": [{"topicName": topic, "lockDuration": 1000}],
    }
    return server.engine("POST", "/external-task/fetchAndLock", asked)


def test_serve__two_hundred_wait(server, topic):
    answered = []
    polls = [threading.Thread(target=lambda number=number: answered.append(poll(server, topic, number))) for number in range(POLLS)]
    for one in polls:
        one.start()
    time.sleep(10)  # until all of them have come in

    for _ in range(30):
        assert server.engine("GET", "/version")[0] == 200
    early = len(answered)
    for one in polls:
        one.join()

    assert early == 0
    assert answered == [(200, [])] * POLLS
