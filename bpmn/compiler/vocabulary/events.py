"""Events: which definition may stand in which kind of event."""

from __future__ import annotations

from bpmn.compiler.vocabulary.fate import Fate, Word

START, CATCH, THROW, BOUNDARY, END = "startEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent", "endEvent"
NAMES = {START: "开始事件", CATCH: "中间捕获事件", THROW: "中间抛出事件", BOUNDARY: "边界事件", END: "结束事件"}

RUNS, REFUSED = Fate.RUNS, Fate.REFUSED
SAY_WHAT = "choose with the wrench what it waits for: a message, a timer, a signal, a condition"
#: One row for each event: where it stands, its definition, the name of the definition, fate and meaning.
ROWS = [
    (START, "", "", RUNS, "one in each process or subprocess"),
    (START, "message", "消息", RUNS, "any number in a process, each with its own message; in an event subprocess"),
    (START, "timer", "定时", RUNS, "of a process: starts a case when it is due; in an event subprocess"),
    (START, "signal", "信号", Fate.RUNS, "of a process: every signal starts a case; in an event subprocess"),
    (START, "error", "错误", Fate.RUNS, "in an event subprocess: one error code, or every error; always interrupts"),
    (START, "escalation", "升级", Fate.RUNS, "in an event subprocess: one escalation code, or every escalation"),
    (START, "conditional", "条件", Fate.RUNS, "in an event subprocess: starts when its condition becomes true"),
    (START, "compensate", "补偿", Fate.RUNS, "in an event subprocess of a subprocess: undoes that one when it has completed"),
    (CATCH, "", "", REFUSED, SAY_WHAT),
    (CATCH, "message", "消息", RUNS, "waits for the message"),
    (CATCH, "timer", "定时", RUNS, "waits for the time"),
    (CATCH, "signal", "信号", Fate.RUNS, "waits for the signal"),
    (CATCH, "conditional", "条件", Fate.RUNS, "waits until its condition is true"),
    (CATCH, "link", "链接", Fate.REWRITTEN, "goes on behind the link throw events (链接中间抛出事件) of the same name"),
    (THROW, "", "", RUNS, "a milestone: the token passes"),
    (THROW, "message", "消息", Fate.RUNS, "external with a topic, or an expression without side effects, as a service task"),
    (THROW, "signal", "信号", Fate.RUNS, "reaches everything that waits for the signal, in every case"),
    (
        THROW,
        "escalation",
        "升级",
        Fate.RUNS,
        "reaches the nearest event around it that catches its code; the token goes on unless interrupted",
    ),
    (THROW, "compensate", "补偿", Fate.RUNS, "the handlers of what has completed run in reverse order"),
    (THROW, "link", "链接", Fate.REWRITTEN, "goes on at the link catch event (链接中间捕获事件) of the same name"),
    (BOUNDARY, "", "", REFUSED, SAY_WHAT + ", an error"),
    (BOUNDARY, "message", "消息", RUNS, "interrupting, or every time the message comes"),
    (BOUNDARY, "timer", "定时", RUNS, "interrupting, or every time it is due"),
    (BOUNDARY, "signal", "信号", Fate.RUNS, "interrupting, or every time the signal comes"),
    (BOUNDARY, "conditional", "条件", Fate.RUNS, "interrupting, or every time its condition becomes true"),
    (BOUNDARY, "error", "错误", RUNS, "one error code, or every error; always interrupts"),
    (BOUNDARY, "escalation", "升级", Fate.RUNS, "one escalation code, or every escalation; interrupting or not"),
    (BOUNDARY, "cancel", "取消", Fate.RUNS, "on a transaction: where the token goes when it is canceled"),
    (BOUNDARY, "compensate", "补偿", Fate.RUNS, "an association leads to the activity that undoes this one"),
    (END, "", "", RUNS, "ends its token"),
    (END, "message", "消息", Fate.RUNS, "external with a topic, or an expression without side effects, as a service task"),
    (END, "signal", "信号", Fate.RUNS, "reaches everything that waits for the signal, in every case"),
    (END, "error", "错误", RUNS, "the nearest event around it that catches its code goes on"),
    (END, "escalation", "升级", Fate.RUNS, "as the throw event"),
    (END, "cancel", "取消", Fate.RUNS, "in a transaction: cancels it"),
    (END, "compensate", "补偿", Fate.RUNS, "as the throw event"),
    (END, "terminate", "终止", RUNS, "ends the process or the subprocess that it stands in"),
]


def _word(place: str, definition: str, chinese: str, fate: Fate, note: str) -> Word:
    name = f"{definition}EventDefinition" if definition else ""
    return Word(name=name, owners=frozenset({place}), chinese=chinese + NAMES[place], fate=fate, note=note)


#: By place and definition; "" is an event without a definition.
EVENTS = {(row[0], word.name): word for row in ROWS for word in (_word(*row),)}


def event(place: str, definition: str) -> Word:
    """Look up the definition of an event; a combination that BPMN does not have is refused."""
    known = EVENTS.get((place, definition))
    return known or Word(name=definition, fate=Fate.REFUSED, note="remove the definition: BPMN has no such event")
