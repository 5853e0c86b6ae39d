"""Elements of BPMN 2.0."""

from __future__ import annotations

from bpmn.compiler.vocabulary.fate import Fate, Word

EVENT_TAGS = frozenset({"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"})
TASK_TAGS = frozenset({"task", "manualTask", "userTask", "receiveTask", "serviceTask", "sendTask", "scriptTask", "businessRuleTask"})
ACTIVITY_TAGS = TASK_TAGS | {"callActivity", "subProcess", "transaction"}
GATEWAY_TAGS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"})
#: What a token passes through.
NODE_TAGS = EVENT_TAGS | ACTIVITY_TAGS | GATEWAY_TAGS

DATA_OUT = "let each instance set its result: a variable of the process, or a decision table (业务规则任务) behind it"


def _word(name: str, chinese: str, fate: Fate, note: str) -> tuple[str, Word]:
    return name, Word(name=name, chinese=chinese, fate=fate, note=note)


NODES = [
    _word("process", "流程", Fate.RUNS, "every executable process of the file becomes a definition"),
    _word("startEvent", "开始事件", Fate.RUNS, "see the events below"),
    _word("endEvent", "结束事件", Fate.RUNS, "see the events below"),
    _word("intermediateCatchEvent", "中间捕获事件", Fate.RUNS, "see the events below"),
    _word("intermediateThrowEvent", "中间抛出事件", Fate.RUNS, "see the events below"),
    _word("boundaryEvent", "边界事件", Fate.RUNS, "see the events below"),
    _word("userTask", "用户任务", Fate.RUNS, "with candidate users and groups, assignee, dates, priority and a form"),
    _word("receiveTask", "接收任务", Fate.RUNS, "waits for its message"),
    _word("serviceTask", "服务任务", Fate.RUNS, "external with a topic, or an expression without side effects"),
    _word("sendTask", "发送任务", Fate.RUNS, "as a service task: external with a topic, or an expression without side effects"),
    _word("scriptTask", "脚本任务", Fate.RUNS, "an expression in `juel` or `feel` with a result variable"),
    _word("businessRuleTask", "业务规则任务", Fate.RUNS, "a DMN decision; or as a service task"),
    _word("callActivity", "调用活动", Fate.RUNS, "calls a process by its key, written or as an expression"),
    _word("subProcess", "子流程", Fate.RUNS, "embedded, at any depth; with `triggeredByEvent` an event subprocess (事件子流程)"),
    _word(
        "transaction",
        "事务",
        Fate.RUNS,
        "a subprocess that a cancel end event ends: compensates, then leaves by its cancel boundary event",
    ),
    _word("exclusiveGateway", "排他网关", Fate.RUNS, "the first flow whose condition holds, else the default flow"),
    _word("parallelGateway", "并行网关", Fate.RUNS, "takes every flow; waits for every flow"),
    _word(
        "inclusiveGateway",
        "包容网关",
        Fate.RUNS,
        "every flow whose condition holds, else the default flow; waits for what can still arrive",
    ),
    _word("eventBasedGateway", "事件网关", Fate.RUNS, "the first of the events behind it says where the token goes"),
    _word("sequenceFlow", "顺序流", Fate.RUNS, "with or without a condition"),
    _word("task", "任务", Fate.REWRITTEN, "an undefined task passes through, as in Camunda 7"),
    _word("manualTask", "手工任务", Fate.REWRITTEN, "passes through, as in Camunda 7: nobody tells the engine that it is done"),
]

#: What stands in an element.
PARTS = [
    _word("conditionExpression", "条件", Fate.RUNS, "`${…}` or `=…`"),
    _word("condition", "条件", Fate.RUNS, "of a conditional event: `${…}` or `=…`"),
    _word("timeDate", "日期", Fate.RUNS, "a date and time with an offset, or an expression"),
    _word("timeDuration", "时长", Fate.RUNS, "an ISO 8601 duration, or an expression"),
    _word("timeCycle", "周期", Fate.RUNS, "an ISO 8601 repetition, or an expression"),
    _word("script", "脚本", Fate.RUNS, "the expression of a script task"),
    _word("multiInstanceLoopCharacteristics", "多实例", Fate.RUNS, "the activity runs several times, at once or one after the other"),
    _word("standardLoopCharacteristics", "循环", Fate.RUNS, "the activity runs as long as its condition holds"),
    _word("loopCardinality", "循环基数", Fate.RUNS, "how many instances: a number or an expression; comes before a collection"),
    _word("loopDataInputRef", "集合", Fate.RUNS, "the collection: a variable, or an expression"),
    _word("inputDataItem", "元素变量", Fate.RUNS, "its name is that of the element variable"),
    _word("completionCondition", "完成条件", Fate.RUNS, "true after an instance: the rest is not done"),
    _word("loopCondition", "循环条件", Fate.RUNS, "true: once more"),
    _word("potentialOwner", "候选人", Fate.RUNS, "`user(a), group(b)`: candidate users and groups"),
    _word("humanPerformer", "办理人", Fate.RUNS, "the assignee"),
    _word("resourceAssignmentExpression", "", Fate.RUNS, "holds the expression of a potential owner or human performer"),
    _word("formalExpression", "", Fate.RUNS, "the expression of a potential owner or human performer"),
    _word("association", "关联", Fate.RUNS, "from a compensation boundary event to its handler; else drawing"),
    _word("documentation", "文档", Fate.RUNS, "kept with the element; of a user task: its description, a text or an expression"),
    _word("extensionElements", "扩展元素", Fate.RUNS, "see the extensions below"),
]

#: Their insides are not looked at.
IGNORED = [
    _word("incoming", "", Fate.IGNORED, "the flows themselves say where they lead"),
    _word("outgoing", "", Fate.IGNORED, "the flows themselves say where they lead"),
    _word("laneSet", "泳道", Fate.IGNORED, "lanes are drawing; groups say who does a task"),
    _word("textAnnotation", "文本注释", Fate.IGNORED, "drawing"),
    _word("group", "分组", Fate.IGNORED, "drawing"),
    _word("dataObject", "数据对象", Fate.IGNORED, "drawing"),
    _word("dataObjectReference", "数据对象", Fate.IGNORED, "drawing"),
    _word("dataStoreReference", "数据存储", Fate.IGNORED, "drawing"),
    _word("dataInput", "数据输入", Fate.IGNORED, "drawing: variables need no declaration"),
    _word("dataOutput", "数据输出", Fate.IGNORED, "drawing: variables need no declaration"),
    _word("dataInputAssociation", "数据关联", Fate.IGNORED, "drawing"),
    _word("dataOutputAssociation", "数据关联", Fate.IGNORED, "drawing"),
    _word("inputSet", "", Fate.IGNORED, "drawing: variables need no declaration"),
    _word("outputSet", "", Fate.IGNORED, "drawing: variables need no declaration"),
    _word("property", "属性", Fate.IGNORED, "drawing: variables need no declaration"),
    _word("ioSpecification", "输入输出规范", Fate.IGNORED, "drawing: variables need no declaration"),
    _word("auditing", "", Fate.IGNORED, "the journal records everything"),
    _word("monitoring", "", Fate.IGNORED, "the journal records everything"),
    _word("rendering", "", Fate.IGNORED, "forms say how a task looks"),
    _word("resourceRef", "", Fate.IGNORED, "the expression says who"),
    _word("operationRef", "", Fate.IGNORED, "no effect on a run"),
    _word("supportedInterfaceRef", "", Fate.IGNORED, "drawing"),
    _word("correlationSubscription", "", Fate.IGNORED, "messages are correlated by the engine"),
    _word("source", "", Fate.IGNORED, "of a link: its name says where it leads"),
    _word("target", "", Fate.IGNORED, "of a link: its name says where it leads"),
]

REFUSED_NODES = dict(
    [
        _word(
            "adHocSubProcess", "特设子流程", Fate.REFUSED, "draw an embedded subprocess (子流程) with an inclusive gateway that dispatches"
        ),
        _word("complexGateway", "复杂网关", Fate.REFUSED, "draw an inclusive gateway (包容网关)"),
        _word("choreographyTask", "编排任务", Fate.REFUSED, "draw a process"),
        _word("subChoreography", "编排", Fate.REFUSED, "draw a process"),
        _word("callChoreography", "编排", Fate.REFUSED, "draw a process"),
    ]
)
REFUSED_PARTS = [
    _word("loopDataOutputRef", "", Fate.REFUSED, DATA_OUT),
    _word("outputDataItem", "", Fate.REFUSED, DATA_OUT),
    _word("complexBehaviorDefinition", "", Fate.REFUSED, "remove it: write a completion condition"),
    _word("performer", "", Fate.REFUSED, "name the person in “Assignee” or the group in “Candidate groups”"),
    _word("resourceRole", "", Fate.REFUSED, "name the group in “Candidate groups”"),
    _word("resourceParameterBinding", "", Fate.REFUSED, "name the group in “Candidate groups”"),
    _word("subConversation", "", Fate.REFUSED, "draw a process"),
]

ELEMENTS = {**dict(NODES), **dict(PARTS), **dict(IGNORED), **REFUSED_NODES, **dict(REFUSED_PARTS)}


def element(tag: str) -> Word:
    """Look an element up; what BPMN does not have, or nobody has thought of, is refused."""
    known = ELEMENTS.get(tag)
    return known or Word(name=tag, fate=Fate.REFUSED, note="remove it, or draw it with elements that docs/reference/bpmn.md lists")
