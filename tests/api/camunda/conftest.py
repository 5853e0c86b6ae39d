"""Clients of Camunda 7, calling the application as they do."""

import io

import pytest

from tests.api.conftest import Caller
from tests.bpmn import diagrams as d

MODELER = "Mozilla/5.0 camunda-modeler/5.50.1 Electron/39.0.0"


class Client(Caller):
    """Somebody who calls `/engine-rest`."""

    prefix = "/engine-rest"

    def deploy(self, files, name="一窗 受理", **fields):
        """Send what the Deploy button sends; `files` by name, as bytes or text."""
        parts = {"deployment-name": name, "deployment-source": "Camunda Modeler", "enable-duplicate-filtering": "true", **fields}
        uploads = {file: (io.BytesIO(text if isinstance(text, bytes) else text.encode()), file) for file, text in files.items()}
        return self.post(
            "/deployment/create",
            data=parts | uploads,
            content_type="multipart/form-data",
            headers={"User-Agent": MODELER, "Origin": "file://"},
        )

    def start(self, diagram, variables=None, key="p", business_key=None):
        """Deploy a diagram and start it; the process instance."""
        assert self.deploy({"p.bpmn": diagram}, name=key).status_code == 200
        answer = self.post(f"/process-definition/key/{key}/start", {"variables": variables, "businessKey": business_key})
        assert answer.status_code == 200, answer.json
        return answer.json


@pytest.fixture
def client(app):
    """Make a client."""
    return lambda name=None: Client(app, name)


@pytest.fixture
def designer(client):
    return client("designer")


@pytest.fixture
def worker(client):
    return client("worker")


def form_task(key="p"):
    """A process with one task of a person."""
    return d.diagram(d.start("s"), d.user("t", name="登记"), d.end("e"), d.flows("s -> t -> e"), key=key, name="登记流程")


def worked(*topics, key="p", **more):
    """A process with tasks of programs, one after the other."""
    tasks = [d.external(f"t{number}", topic=topic, **more) for number, topic in enumerate(topics)]
    path = " -> ".join(f"t{number}" for number in range(len(topics)))
    return d.diagram(d.start("s"), *tasks, d.end("e"), d.flows(f"s -> {path} -> e"), key=key, name=key)
