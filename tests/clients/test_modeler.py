"""What Camunda Modeler sends reaches the application through the real server as it was meant."""

from urllib.parse import quote

from tests.bpmn import diagrams as d


def test_start__chinese_key_in_the_address(server):
    server.deploy(d.diagram(d.start("s"), d.user("t"), d.end("e"), d.flows("s -> t -> e"), key="开餐馆", name="开餐馆"))
    ((definition,),) = ([found["id"] for found in server.engine("GET", f"/process-definition?key={quote('开餐馆')}")[1]],)

    status, started = server.engine(
        "POST", f"/process-definition/{quote(definition, safe=':')}/start", {"variables": None, "businessKey": None}
    )

    assert (status, started["definitionKey"]) == (200, "开餐馆")


def test_list__slashes_of_an_address_with_a_slash_at_its_end(server):
    assert server.call("GET", "/engine-rest//deployment?maxResults=0") == (200, [])
    assert server.call("GET", "//engine-rest/deployment?maxResults=0") == (200, [])


def test_preflight__before_login(server):
    assert server.call("OPTIONS", "/engine-rest/deployment", actor="nobody") == (204, None)
