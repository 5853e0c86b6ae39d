"""The library as it comes, to show what of it had to be mended."""

from __future__ import annotations

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.task import TaskState

from tests.bpmn import diagrams


def begin(*content, **data):
    """Start a diagram on the library's own parser and engine."""
    parser = BpmnParser()
    parser.add_bpmn_str(diagrams.diagram(*content))
    workflow = BpmnWorkflow(parser.get_spec("p"), parser.get_subprocess_specs("p"))
    workflow.task_tree.data.update(data)
    workflow.do_engine_steps()
    return workflow


def standing(workflow):
    """Names of the tasks that the library offers for completion."""
    return [task.task_spec.name for task in workflow.get_tasks(state=TaskState.READY, manual=True)]


def complete(workflow, *names, **data):
    """Complete the first open task of each name."""
    for name in names:
        task = next(task for task in workflow.get_tasks(state=TaskState.READY, manual=True) if task.task_spec.name == name)
        task.data.update(data)
        task.run()
        workflow.do_engine_steps()


def dump(workflow):
    """Write the library's JSON."""
    return BpmnWorkflowSerializer().serialize_json(workflow)
