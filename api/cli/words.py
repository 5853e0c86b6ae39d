"""Words of the diagram, as people who draw say them."""

from __future__ import annotations

KINDS = {
    "added": "＋ 新增",
    "removed": "－ 删除",
    "renamed": "～ 改名",
    "changed": "～ 修改",
    "moved": "～ 移动",
    "rerouted": "～ 改接",
}
SUBJECTS = {
    "process": "流程",
    "element": "节点",
    "flow": "连线",
    "decision": "决策表",
    "column": "列",
    "rule": "规则",
    "form": "表单",
    "field": "字段",
}
TYPES = {
    "startEvent": "开始事件",
    "endEvent": "结束事件",
    "intermediateCatchEvent": "中间捕获事件",
    "intermediateThrowEvent": "中间抛出事件",
    "boundaryEvent": "边界事件",
    "task": "任务",
    "userTask": "用户任务",
    "receiveTask": "接收任务",
    "serviceTask": "服务任务",
    "sendTask": "发送任务",
    "scriptTask": "脚本任务",
    "businessRuleTask": "决策任务",
    "callActivity": "调用活动",
    "subProcess": "子流程",
    "eventSubProcess": "事件子流程",
    "transaction": "事务子流程",
    "exclusiveGateway": "排他网关",
    "parallelGateway": "并行网关",
    "inclusiveGateway": "包容网关",
    "eventBasedGateway": "事件网关",
}
_ATTRIBUTES = {
    "key": "标识",
    "type": "类型",
    "documentation": "说明",
    "version_tag": "版本标签",
    "candidate_groups": "候选组",
    "candidate_users": "候选人",
    "assignee": "办理人",
    "due_date": "到期日",
    "follow_up_date": "跟进日",
    "priority": "优先级",
    "form_ref": "表单",
    "form_binding": "表单的版本",
    "form_data": "内嵌表单",
    "topic": "外部任务主题",
    "expression": "表达式",
    "called": "调用的流程",
    "binding": "调用的版本",
    "inputs": "传入",
    "outputs": "传出",
    "input_parameters": "输入参数",
    "output_parameters": "输出参数",
    "decision_ref": "决策",
    "result_variable": "结果变量",
    "condition": "条件",
    "default": "默认",
    "attached_to": "所附活动",
    "interrupting": "是否中断",
    "when": "时间",
    "timer": "定时方式",
    "signal": "信号",
    "message": "消息",
    "error_message": "错误说明",
    "loop": "多实例",
    "template": "元素模板",
    "template_version": "模板版本",
    "required": "必填",
    "options": "选项",
    "order": "次序",
    "hitPolicy": "命中策略",
    "aggregation": "汇总",
    "logic": "内容",
    "annotation": "备注",
    "typeRef": "数据类型",
}


def attribute(path: str) -> str:
    """Name an attribute: in Chinese where there is a word, and always as it is written (`event.when` → `时间 event.when`)."""
    own = path.removeprefix("properties.")
    word = _ATTRIBUTES.get(path.rpartition(".")[2]) or _ATTRIBUTES.get(path.partition(".")[0])
    return f"{word} {own}" if word and own == path else own
