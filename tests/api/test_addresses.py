"""Where a request comes from: what a client says of itself is never believed."""

import pytest

from api import addresses
from engine.settings import Settings


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "found"),
    [
        (0, "10.0.0.7", [], "10.0.0.7"),
        (0, "10.0.0.7", ["1.1.1.1"], "10.0.0.7"),
        (1, "10.0.0.7", ["1.1.1.1"], "1.1.1.1"),
        (1, "10.0.0.7", ["9.9.9.9, 1.1.1.1"], "1.1.1.1"),
        (1, "10.0.0.7", ["9.9.9.9", "1.1.1.1"], "1.1.1.1"),
        (2, "10.0.0.7", ["9.9.9.9, 1.1.1.1, 10.0.0.8"], "1.1.1.1"),
        (2, "10.0.0.7", ["1.1.1.1"], "10.0.0.7"),
        (1, "10.0.0.7", [], "10.0.0.7"),
        (1, "10.0.0.7", ["unknown"], "10.0.0.7"),
        (1, "10.0.0.7", ["1.1.1.1:4711"], "10.0.0.7"),
        (0, "2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        (1, "::1", ["2001:db8:1:2:ffff::1"], "2001:db8:1:2::/64"),
        (0, "::ffff:10.0.0.7", [], "10.0.0.7"),
        (0, "", [], ""),
    ],
)
def test_come_from(app, monkeypatch, tmp_path, proxies, peer, forwarded, found):
    settings = Settings(data_dir=tmp_path, proxies=proxies)
    monkeypatch.setitem(app.extensions, "settings", settings)
    headers = [("X-Forwarded-For", line) for line in forwarded]

    with app.test_request_context(headers=headers, environ_overrides={"REMOTE_ADDR": peer}):
        assert addresses.come_from() == found
