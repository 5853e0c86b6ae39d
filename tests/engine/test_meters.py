"""Meters: to count is never in the way of what is counted."""

import os
import subprocess
import sys

COUNTING = """
import os, shutil, sys
from engine import gauges, meters

def count():
    meters.prepare()
    shutil.rmtree(os.environ[meters.SHARED])
    meters.REQUEST.labels("GET", "/", 200).observe(1)
    meters.COMPLETED.labels("m").inc()
    with meters.COMMIT.time():
        pass
    list(gauges._counted().collect())

count()
if not (another := os.fork()):
    count()
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(another, 0)[1]))
"""


def test_settle__the_folder_goes_meanwhile(tmp_path):
    """It is removed while a process counts in it, and before another one takes its place."""
    folder = tmp_path / "meters"
    folder.mkdir()

    done = subprocess.run([sys.executable, "-c", COUNTING], env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}, check=False)

    assert done.returncode == 0
