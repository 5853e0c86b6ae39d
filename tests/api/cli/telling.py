"""`onething` as it is shipped, but each answer tells which process it is from, how many workers sleep there and whether its heart beats.

And nobody watches the table: a worker that sleeps is only woken by what the processes tell each other.  Nor has the server threads for
more than it works on: who waits must keep none.
"""

import multiprocessing
import os
import threading

from api.camunda import polling
from api.cli import main, server, wsgi
from engine import arrivals

asleep = set()


def sleep(waiter, seconds, wait=arrivals.Waiter.sleep):
    asleep.add(waiter)
    try:
        return wait(waiter, seconds)
    finally:
        asleep.remove(waiter)


def create_app(settings, make=wsgi.create_app):
    app = make(settings)

    @app.after_request
    def tell(answer):
        beats = sum(thread.name == "heartbeat" for thread in threading.enumerate())
        answer.headers.extend({"X-Process": str(os.getpid()), "X-Asleep": str(len(asleep)), "X-Beats": str(beats)})
        return answer

    return app


if __name__ == "__main__":
    multiprocessing.set_start_method("forkserver")  # as it is from Python 3.14 on; nothing of this would reach a process that is not forked
    polling.LOOK = 3600
    server.ROOM = 0
    arrivals.Waiter.sleep = sleep
    wsgi.create_app = create_app
    main()
