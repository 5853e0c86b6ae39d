"""One worker, as somebody would write it with the Python client: says each task that it has done on a line of its own.

python worker.py camunda|operaton URL WORKER TOPIC complete|fail|error|die
"""

import importlib
import os
import sys
import time

PACKAGE, URL, WORKER, TOPIC, HOW = sys.argv[1:]
CONFIG = {
    "auth_basic": {"username": "worker", "password": "worker"},
    "maxTasks": 3,
    "lockDuration": 3_000 if HOW == "die" else 60_000,  # the next one waits for that; nobody else is to be too slow for it
    "asyncResponseTimeout": 5000,
    "sleepSeconds": 0.1,
}


def say(task):
    sys.stdout.write(f"{task.get_task_id()}\n")
    sys.stdout.flush()


def work(task):
    if HOW == "die":
        say(task)
        os._exit(1)
    if HOW == "fail":
        say(task)
        return task.failure("no paper", "tray 2", max_retries=1, retry_timeout=100)
    if HOW == "error":
        say(task)
        return task.bpmn_error("REFUSED", "not today", {"why": "closed"})
    time.sleep(0.02)
    say(task)
    return task.complete({"by": WORKER, "n": task.get_variable("n") + 1, "list": {"value": [1, "二"]}}, {"local": 1})


importlib.import_module(f"{PACKAGE}.external_task.external_task_worker").ExternalTaskWorker(WORKER, URL, CONFIG).subscribe(TOPIC, work)
