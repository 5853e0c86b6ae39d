"""The executor: SpiffWorkflow, mended by subclassing.  Nothing else imports it."""

from bpmn.spiff.process import Process
from bpmn.spiff.spec import ProcessSpec, spec_of
from bpmn.spiff.state import restore, take
from bpmn.spiff.token import Token

__all__ = ["Process", "ProcessSpec", "Token", "restore", "spec_of", "take"]
