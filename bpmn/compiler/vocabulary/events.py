"""Events: which definition may stand in which kind of event."""

from __future__ import annotations

from bpmn.compiler.vocabulary.fate import Fate, Word

BY_WORKER = "draw an external service task (服务任务) before it whose worker does that"
SIGNAL = "use a message (消息): a signal would reach every case"
ESCALATION = "draw a non-interrupting boundary timer or message on the activity"
COMPENSATION = "draw the tasks that undo the work, behind an error boundary event (错误边界事件)"
CONDITIONAL = "draw an exclusive gateway (排他网关) where the condition is decided, or use a message"
LINK = "connect the two places with a sequence flow (顺序流)"
EVENT_SUBPROCESS_ONLY = "start by hand or by a message; only an event subprocess starts like this, and those do not run"
TIMER_START = "start the case by hand or by a message; time alone starts none"


def _word(place: str, definition: str, chinese: str, fate: Fate, note: str) -> tuple[tuple[str, str], Word]:
    return (place, definition), Word(name=definition, owners=frozenset({place}), chinese=chinese, fate=fate, note=note)


def _everywhere(definition: str, chinese: str, note: str) -> list[tuple[tuple[str, str], Word]]:
    return [_word(place, definition, chinese + name, Fate.REFUSED, note) for place, name in PLACES.items()]


PLACES = {
    "startEvent": "开始事件",
    "intermediateCatchEvent": "中间捕获事件",
    "intermediateThrowEvent": "中间抛出事件",
    "boundaryEvent": "边界事件",
    "endEvent": "结束事件",
}

#: By place and definition; "" is an event without a definition.
EVENTS = dict(
    [
        _word("startEvent", "", "开始事件", Fate.RUNS, "one in each process or subprocess"),
        _word("startEvent", "messageEventDefinition", "消息开始事件", Fate.RUNS, "any number in a process, each with its own message"),
        _word("startEvent", "timerEventDefinition", "定时开始事件", Fate.REFUSED, TIMER_START),
        _word("startEvent", "errorEventDefinition", "错误开始事件", Fate.REFUSED, EVENT_SUBPROCESS_ONLY),
        _word("intermediateCatchEvent", "messageEventDefinition", "消息中间捕获事件", Fate.RUNS, "waits for the message"),
        _word("intermediateCatchEvent", "timerEventDefinition", "定时中间捕获事件", Fate.RUNS, "waits for the time"),
        _word(
            "intermediateCatchEvent", "", "中间捕获事件", Fate.REFUSED, "say in its properties whether it waits for a message or a timer"
        ),
        _word("intermediateThrowEvent", "", "中间抛出事件", Fate.RUNS, "a milestone: the token passes"),
        _word("intermediateThrowEvent", "messageEventDefinition", "消息中间抛出事件", Fate.REFUSED, BY_WORKER),
        _word("boundaryEvent", "messageEventDefinition", "消息边界事件", Fate.RUNS, "interrupting, or every time the message comes"),
        _word("boundaryEvent", "timerEventDefinition", "定时边界事件", Fate.RUNS, "interrupting, or every time it is due"),
        _word("boundaryEvent", "errorEventDefinition", "错误边界事件", Fate.RUNS, "one error code, or every error; always interrupts"),
        _word("boundaryEvent", "", "边界事件", Fate.REFUSED, "say in its properties whether it waits for a message, a timer or an error"),
        _word("endEvent", "", "结束事件", Fate.RUNS, "ends its token"),
        _word("endEvent", "errorEventDefinition", "错误结束事件", Fate.RUNS, "the nearest boundary event for its code catches it"),
        _word("endEvent", "terminateEventDefinition", "终止结束事件", Fate.RUNS, "ends the process or the subprocess that it stands in"),
        _word("endEvent", "messageEventDefinition", "消息结束事件", Fate.REFUSED, BY_WORKER),
        *_everywhere("signalEventDefinition", "信号", SIGNAL),
        *_everywhere("escalationEventDefinition", "升级", ESCALATION),
        *_everywhere("compensateEventDefinition", "补偿", COMPENSATION),
        *_everywhere("conditionalEventDefinition", "条件", CONDITIONAL),
        *_everywhere("linkEventDefinition", "链接", LINK),
        *_everywhere("cancelEventDefinition", "取消", "draw an error event (错误事件): there are no transactions"),
    ]
)


def event(place: str, definition: str) -> Word:
    """Look up the definition of an event; a combination that BPMN does not have is refused."""
    known = EVENTS.get((place, definition))
    return known or Word(name=definition, fate=Fate.REFUSED, note="remove the definition: BPMN has no such event")
