"""What `make run` starts with: the shipped matters, and accounts for trying them out."""

from __future__ import annotations

from api.cli import installation, streams
from engine import deployments, folders, holidays, samples
from engine.actors import OPERATOR
from engine.settings import Settings


def load(loaded: Settings) -> None:
    """Migrate, load sample accounts unless there are accounts, and deploy the shipped matters unless they are deployed already."""
    with installation.opened(loaded) as database:
        database.migrate()
        with database.transaction() as session:
            holidays.publish_shipped(session, loaded.workflows / "calendars")
            samples.seed(session, loaded.env)
            for folder in folders.read([loaded.workflows]):
                deployments.deploy(session, folder.name, folder.resources, actor=OPERATOR, source="shipped")


def welcome(loaded: Settings) -> None:
    """Say where to look, who may log in, and how a first case is taken in."""
    url = f"http://{loaded.host}:{loaded.port}"
    post = "curl -sS -H 'Content-Type: application/json'"
    streams.say(f"""
Look at      {url}
Reference    {url}/reference
Accounts     {", ".join(samples.ACCOUNTS)}
             (the password is the name)

A first case, from the counter to the departments:
  {post} -u clerk:clerk -d @docs/examples/open-restaurant.json {url}/api/v1/cases
  curl -sS -u clerk:clerk {url}/api/v1/tasks
  {post} -u clerk:clerk -d '{{"outcome": "accept"}}' {url}/api/v1/tasks/ID/complete
  curl -sS -u officer-fire:officer-fire {url}/api/v1/tasks
""")
