"""Functions are given what they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from bpmn.errors import ExpressionError
from bpmn.expressions import juel_methods
from bpmn.expressions.functions import FUNCTIONS
from bpmn.expressions.scope import UNKNOWN, Invocation, Name, Scope
from bpmn.expressions.values import describe
from bpmn.lint import expressions
from bpmn.lint.bundle import Bundle, Words
from bpmn.lint.rule import Problem, Problems

#: What stands for a parameter of a kind, in an example.
_EXAMPLES = {"number": "5", "text": "'…'"}


def check(bundle: Bundle) -> Problems:
    """Functions get arguments that they take, and as many as they take: otherwise the case would stop with an incident."""
    words = bundle.known.words
    for resource, process in bundle.processes:
        for element in process.elements.values():
            for expression in expressions.asked(process, element):
                for wrong in _wrong(expression.invocations, words):
                    message = f"Expected {element.label} to give functions what they take, but in {expression.source[:80]} {wrong}"
                    yield Problem(resource=resource, element=element, message=message)
    for resource, decision in bundle.decisions:
        for wrong in _wrong(decision.invocations, words):
            message = f"Expected the decision “{decision.name}” ({decision.id}) to give functions what they take, but {wrong}"
            yield Problem(resource=resource, line=decision.line, message=message)


def _wrong(invocations: Iterable[Invocation], words: Words) -> Iterator[str]:
    for invocation in invocations:
        ours = not invocation.method and invocation.name in words.parameters
        found = _in_ours(invocation, words) if ours else _in_built_in(invocation)
        if found:
            yield found


def _in_ours(invocation: Invocation, words: Words) -> str | None:
    """Say what is wrong with a call of a function of the engine."""
    name, taken = invocation.name, words.parameters[invocation.name]
    usage = f"write {name}({', '.join(_EXAMPLES[kind] for kind in taken.values())})"
    if len(invocation.arguments) != len(taken):
        given = {0: "nothing", 1: "one argument"}.get(len(invocation.arguments), f"{len(invocation.arguments)} arguments")
        return f"{name}() is given {given}, and takes {' and '.join(taken) or 'nothing'}: {usage}"
    for (parameter, kind), argument in zip(taken.items(), invocation.arguments, strict=True):
        if isinstance(argument, Name):
            if argument.name in words.arguments.get(name, ()):
                return f"{name}() is given the variable {argument.name}: write {name}('{argument.name}'), with quotation marks"
        elif argument is not UNKNOWN and not _is(argument, kind):
            return f"{name}() is given {describe(argument)}, and takes a {kind} ({parameter}): {usage}"
    return None


def _in_built_in(invocation: Invocation) -> str | None:
    """Say what is wrong with a call of a method, or of a function of FEEL whose arguments are all written: it fails every time."""
    function = FUNCTIONS.get(invocation.name)
    try:
        if invocation.method:
            juel_methods.check(invocation.name, invocation.arguments)
        elif function and not any(argument is UNKNOWN or isinstance(argument, Name) for argument in invocation.arguments):
            function.invoke(invocation.arguments, Scope({}, {}))
    except (ExpressionError, ArithmeticError, RecursionError) as error:
        return f"{invocation.name}() is given what does not fit: {error}"
    return None


def _is(argument: object, kind: str) -> bool:
    """Tell whether a function can do something with a value that is written; a text that is a whole number is a number, too."""
    if kind == "text":
        return isinstance(argument, str)
    if isinstance(argument, str):
        return argument.strip().isdecimal()
    return isinstance(argument, int | float | Decimal) and not isinstance(argument, bool) and argument >= 0
