"""`onething` as it is shipped, on a machine that has no room for the processes whose numbers `CROWDED` names, as they are begun."""

import errno
import itertools
import os

from api.cli import main

FULL = {int(number) for number in os.environ["CROWDED"].split()}
NUMBERS = itertools.count()


def fork(fork=os.fork):
    if next(NUMBERS) in FULL:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return fork()


if __name__ == "__main__":
    os.fork = fork
    main()
