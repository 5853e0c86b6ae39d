"""Elements of BPMN 2.0."""

from __future__ import annotations

from bpmn.compiler.vocabulary.fate import Fate, Word

EVENT_TAGS = frozenset({"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"})
TASK_TAGS = frozenset({"task", "manualTask", "userTask", "receiveTask", "serviceTask", "businessRuleTask"})
ACTIVITY_TAGS = TASK_TAGS | {"callActivity", "subProcess"}
GATEWAY_TAGS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway"})
#: What a token passes through.
NODE_TAGS = EVENT_TAGS | ACTIVITY_TAGS | GATEWAY_TAGS

MULTI_INSTANCE = "draw one activity per participant behind an inclusive gateway (包容网关), each with its condition"


def _word(name: str, chinese: str, fate: Fate, note: str) -> tuple[str, Word]:
    return name, Word(name=name, chinese=chinese, fate=fate, note=note)


RUNNING = dict(
    [
        _word("process", "流程", Fate.RUNS, "every executable process of the file becomes a definition"),
        _word("startEvent", "开始事件", Fate.RUNS, "none or message"),
        _word("endEvent", "结束事件", Fate.RUNS, "none, error or terminate"),
        _word("intermediateCatchEvent", "中间捕获事件", Fate.RUNS, "message or timer"),
        _word("intermediateThrowEvent", "中间抛出事件", Fate.RUNS, "none: a milestone"),
        _word("boundaryEvent", "边界事件", Fate.RUNS, "message, timer or error; message and timer also without interrupting"),
        _word("userTask", "用户任务", Fate.RUNS, "with candidate groups, assignee, due date, priority and a form"),
        _word("receiveTask", "接收任务", Fate.RUNS, "waits for its message"),
        _word("serviceTask", "服务任务", Fate.RUNS, "external, with a topic"),
        _word("businessRuleTask", "业务规则任务", Fate.RUNS, "with a DMN decision"),
        _word("callActivity", "调用活动", Fate.RUNS, "calls a process by its key, written or as an expression"),
        _word("subProcess", "子流程", Fate.RUNS, "embedded, at any depth"),
        _word("exclusiveGateway", "排他网关", Fate.RUNS, "the first flow whose condition holds, else the default flow"),
        _word("parallelGateway", "并行网关", Fate.RUNS, "takes every flow; waits for every flow"),
        _word(
            "inclusiveGateway",
            "包容网关",
            Fate.RUNS,
            "every flow whose condition holds, else the default flow; waits for what can still arrive",
        ),
        _word("sequenceFlow", "顺序流", Fate.RUNS, "with or without a condition"),
        _word("conditionExpression", "条件", Fate.RUNS, "`${…}` or `=…`"),
        _word("timeDate", "日期", Fate.RUNS, "a date and time with an offset, or an expression"),
        _word("timeDuration", "时长", Fate.RUNS, "an ISO 8601 duration, or an expression"),
        _word("timeCycle", "周期", Fate.RUNS, "an ISO 8601 repetition, or an expression"),
        _word("documentation", "文档", Fate.RUNS, "kept with the element"),
        _word("extensionElements", "扩展元素", Fate.RUNS, "see the extensions below"),
        _word("task", "任务", Fate.REWRITTEN, "an undefined task passes through, as in Camunda 7"),
        _word("manualTask", "手工任务", Fate.REWRITTEN, "passes through, as in Camunda 7: nobody tells the engine that it is done"),
    ]
)

#: Their insides are not looked at.
IGNORED = dict(
    [
        _word("incoming", "", Fate.IGNORED, "the flows themselves say where they lead"),
        _word("outgoing", "", Fate.IGNORED, "the flows themselves say where they lead"),
        _word("laneSet", "泳道", Fate.IGNORED, "lanes are drawing; groups say who does a task"),
        _word("textAnnotation", "文本注释", Fate.IGNORED, "drawing"),
        _word("association", "关联", Fate.IGNORED, "drawing"),
        _word("group", "分组", Fate.IGNORED, "drawing"),
        _word("dataObject", "数据对象", Fate.IGNORED, "drawing"),
        _word("dataObjectReference", "数据对象", Fate.IGNORED, "drawing"),
        _word("dataStoreReference", "数据存储", Fate.IGNORED, "drawing"),
        _word("dataInputAssociation", "数据关联", Fate.IGNORED, "drawing"),
        _word("dataOutputAssociation", "数据关联", Fate.IGNORED, "drawing"),
        _word("property", "属性", Fate.IGNORED, "drawing: variables need no declaration"),
        _word("ioSpecification", "输入输出规范", Fate.IGNORED, "drawing: variables need no declaration"),
        _word("auditing", "", Fate.IGNORED, "the journal records everything"),
        _word("monitoring", "", Fate.IGNORED, "the journal records everything"),
        _word("rendering", "", Fate.IGNORED, "forms say how a task looks"),
        _word("supportedInterfaceRef", "", Fate.IGNORED, "drawing"),
        _word("correlationSubscription", "", Fate.IGNORED, "messages are correlated by the engine"),
    ]
)

REFUSED = dict(
    [
        _word(
            "scriptTask",
            "脚本任务",
            Fate.REFUSED,
            "compute the value in a decision table (业务规则任务) or where it is needed, as an expression",
        ),
        _word("sendTask", "发送任务", Fate.REFUSED, "draw an external service task (服务任务) whose worker sends the message"),
        _word("transaction", "事务", Fate.REFUSED, "draw an embedded subprocess (子流程) with an error boundary event"),
        _word(
            "adHocSubProcess", "特设子流程", Fate.REFUSED, "draw an embedded subprocess (子流程) with an inclusive gateway that dispatches"
        ),
        _word(
            "eventBasedGateway",
            "事件网关",
            Fate.REFUSED,
            "draw a receive task (接收任务) with boundary events for whatever else may come first",
        ),
        _word("complexGateway", "复杂网关", Fate.REFUSED, "draw an inclusive gateway (包容网关)"),
        _word("multiInstanceLoopCharacteristics", "多实例", Fate.REFUSED, MULTI_INSTANCE),
        _word("standardLoopCharacteristics", "循环", Fate.REFUSED, "draw an exclusive gateway (排他网关) behind it whose flow leads back"),
        _word("potentialOwner", "", Fate.REFUSED, "name the group in “Candidate groups”"),
        _word("humanPerformer", "", Fate.REFUSED, "name the person in “Assignee”"),
        _word("performer", "", Fate.REFUSED, "name the person in “Assignee” or the group in “Candidate groups”"),
        _word("resourceRole", "", Fate.REFUSED, "name the group in “Candidate groups”"),
        _word("subConversation", "", Fate.REFUSED, "draw a process"),
        _word("choreographyTask", "编排任务", Fate.REFUSED, "draw a process"),
    ]
)

ELEMENTS = {**RUNNING, **IGNORED, **REFUSED}


def element(tag: str) -> Word:
    """Look an element up; what BPMN does not have, or nobody has thought of, is refused."""
    known = ELEMENTS.get(tag)
    return known or Word(name=tag, fate=Fate.REFUSED, note="remove it, or draw it with elements that docs/reference/bpmn.md lists")
