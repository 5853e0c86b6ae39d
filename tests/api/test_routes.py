"""Routes: an application is made at once, and knows every address."""

from functools import partial

from werkzeug.routing import Map, Rule

from api.app import create_app
from engine.settings import Settings
from tests import effort

#: Calls of functions for each route when an application is made; it took 1,800 where werkzeug compiled each address.
CALLS_OF_A_ROUTE = 500


def test_create_app__compiles_no_address(tmp_path):
    settings = Settings(data_dir=tmp_path, database_url="sqlite://")
    routes = len(create_app(settings).url_map._rules)

    calls = effort.calls(partial(create_app, settings))

    assert routes > 200
    assert calls < CALLS_OF_A_ROUTE * routes, calls / routes


def test_addresses__as_werkzeug_puts_them_together(tmp_path):
    app = create_app(Settings(data_dir=tmp_path, database_url="sqlite://"))
    rules = list(app.url_map.iter_rules())
    known = Map(
        [Rule(rule.rule, endpoint=rule.endpoint, methods=rule.methods, defaults=rule.defaults) for rule in rules],
        converters=app.url_map.converters,
    )
    ours, theirs = app.url_map.bind("here"), known.bind("here")

    for rule in rules:
        values = {name: 7 if "int:" + name in rule.rule else "3f0c1a52-9a0e-4d43-8d0c-6f1f1e9c1b77" for name in rule.arguments} | {
            "more": "一"
        }
        assert ours.build(rule.endpoint, values) == theirs.build(rule.endpoint, values)
