"""One component of a `.form` file."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bpmn import patterns
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression, parse, parse_feel
from bpmn.forms import checks
from bpmn.forms.field import ONE_OF, SOME_OF, Field, FieldType, Option, options
from bpmn.identifiers import Format

Refuse = Callable[[str, str], None]
TYPES = {
    "textfield": FieldType.TEXT,
    "textarea": FieldType.TEXTAREA,
    "number": FieldType.NUMBER,
    "checkbox": FieldType.CHECKBOX,
    "radio": FieldType.RADIO,
    "select": FieldType.SELECT,
    "checklist": FieldType.CHECKLIST,
    "taglist": FieldType.TAGLIST,
    "datetime": FieldType.DATETIME,
    "filepicker": FieldType.FILE,
    "expression": FieldType.EXPRESSION,
}
_MOMENTS = {"date": FieldType.DATE, "time": FieldType.TIME, "datetime": FieldType.DATETIME}
_KEY = re.compile(r"[^\W\d]\w{0,99}")
_VALIDATION = frozenset({"required", "minLength", "maxLength", "pattern", "min", "max", "validationType"})
#: Form-js calls the absence of a validation so.
_NO_VALIDATION = ("", "custom", None)
#: Functions that a form may call beside those of FEEL.
CLOCK = frozenset({"now", "today"})
_DATED = frozenset({FieldType.DATE, FieldType.DATETIME})
Number = TypeVar("Number", int | None, float | None)


def _is_feel(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("=")


class Component:
    """Reads one component; what is wrong with it is told to `refuse`."""

    def __init__(self, source: Mapping[str, Any], refuse: Refuse) -> None:
        self._source = source
        self._refuse = refuse
        self._label = str(source.get("label") or source.get("dateLabel") or source.get("timeLabel") or "")
        self._name = self._label or str(source.get("key") or source.get("id") or "")

    def conditions(self) -> tuple[Expression, ...]:
        """Read when the component is hidden."""
        conditional = self._source.get("conditional")
        text = conditional.get("hide") if isinstance(conditional, Mapping) else None
        found = self._feel("the condition that hides it", text) if text else None
        return (found,) if found else ()

    def field(self, hide: tuple[Expression, ...]) -> Field | None:
        """Read a field, or None when it cannot be told what it is."""
        kind = self._type()
        if kind is None or not self._is_key(self._source.get("key")):
            return None
        validate = self._validation()
        field = Field(
            key=self._source["key"],
            label=self._label,
            type=kind,
            description=str(self._source.get("description") or ""),
            required=self._flag_or_feel("required", validate.get("required")),
            default=self._source.get("defaultValue") if self._source.get("defaultValue") != "" else None,
            readonly=self._flag("disabled", self._source.get("disabled")) or self._flag_or_feel("readonly", self._source.get("readonly")),
            hide=hide,
            options=self._options(kind),
            options_from=self._options_from(),
            min_length=self._feel_or(self._whole, "minLength", validate.get("minLength")),
            max_length=self._feel_or(self._whole, "maxLength", validate.get("maxLength")),
            pattern=self._pattern(validate.get("pattern")),
            minimum=self._feel_or(self._number, "min", validate.get("min")),
            maximum=self._feel_or(self._number, "max", validate.get("max")),
            decimal_digits=self._whole("decimalDigits", self._source.get("decimalDigits")),
            validation=self._choice("validationType", validate.get("validationType"), ("email", "phone")),
            format=self._format(kind),
            as_text=kind is FieldType.NUMBER and self._flag("serializeToString", self._source.get("serializeToString")),
            not_passed=kind in _DATED and self._flag("disallowPassedDates", self._source.get("disallowPassedDates")),
            multiple=kind is FieldType.FILE and self._flag_or_feel("multiple", self._source.get("multiple")),
            accept=str(self._source.get("accept") or "") if kind is FieldType.FILE else "",
            expression=self._value(kind),
        )
        self._judge(field)
        return field

    def nested(self, kind: FieldType, path: Any, hide: tuple[Expression, ...], fields: tuple[Field, ...]) -> Field | None:
        """Read a group with a path, or a dynamic list."""
        if not self._is_key(path):
            return None
        fixed = kind is FieldType.LIST and self._source.get("allowAddRemove") is False
        repetitions = self._whole("defaultRepetitions", self._source.get("defaultRepetitions", 1)) if fixed else None
        return Field(key=path, label=self._label, type=kind, hide=hide, fields=fields, repetitions=repetitions)

    def _type(self) -> FieldType | None:
        name = self._source.get("type")
        if name == "datetime":
            subtype = self._choice("subtype", self._source.get("subtype", "date"), tuple(_MOMENTS))
            return _MOMENTS.get(subtype or "")
        if isinstance(name, str) and name in TYPES:
            return TYPES[name]
        self._refuse(
            "unsupported-component", f"Expected a field that the server can check, but {self._name} is {name!r}: use {', '.join(TYPES)}"
        )
        return None

    def _is_key(self, key: Any) -> bool:
        if isinstance(key, str) and _KEY.fullmatch(key):
            return True
        self._refuse("bad-key", f"Expected {self._name or 'the field'} to have a key of letters, digits and _, but it is {key!r}")
        return False

    def _validation(self) -> Mapping[str, Any]:
        validate = self._source.get("validate") or {}
        if not isinstance(validate, Mapping) or (unknown := set(validate) - _VALIDATION):
            what = min(unknown) if isinstance(validate, Mapping) else repr(validate)
            self._refuse("unsupported-validation", f"Expected {self._name} to have validations that the server knows, but found {what}")
            return {}
        return validate

    def _options(self, kind: FieldType) -> tuple[Option, ...]:
        values = self._source.get("values")
        if kind not in ONE_OF | SOME_OF:
            return ()
        found = options(values)
        if values is not None and (not isinstance(values, list) or len(found) != len(values)):
            self._refuse("bad-options", f"Expected the options of {self._name} to have a value and a label each, but they have not")
        if not found and not self._options_from():
            self._refuse("missing-options", f"Expected {self._name} to have options, but it has none")
        return found

    def _options_from(self) -> Expression | None:
        if key := self._source.get("valuesKey"):
            return self._attempt("the variable of its options", lambda: parse_feel(str(key)))
        text = self._source.get("valuesExpression")
        return self._feel("the expression of its options", text) if text else None

    def _feel(self, what: str, text: Any) -> Expression | None:
        if not isinstance(text, str) or not text.lstrip().startswith("="):
            self._refuse(
                "bad-expression", f"Expected {what} ({self._name}) to begin with =, but it is {text!r}: write ={str(text).strip()[:80]}"
            )
            return None
        return self._attempt(what, lambda: parse(text))

    def _attempt(self, what: str, read: Callable[[], Expression]) -> Expression | None:
        try:
            found = read()
        except ExpressionError as error:
            self._refuse("bad-expression", f"{self._name}, {what}: {error}")
            return None
        if unknown := sorted(found.calls - CLOCK):
            self._refuse("unknown-function", f"Expected {what} ({self._name}) to call functions of FEEL, but {unknown[0]} is none")
        return found

    def _value(self, kind: FieldType) -> Expression | None:
        """Read what an expression field is computed of."""
        return self._feel("the value", self._source.get("expression")) if kind is FieldType.EXPRESSION else None

    def _flag_or_feel(self, name: str, value: Any) -> bool | Expression:
        return self._feel(name, value) or False if _is_feel(value) else self._flag(name, value)

    def _feel_or(self, read: Callable[[str, Any], Number], name: str, value: Any) -> Number | Expression | None:
        return self._feel(name, value) if _is_feel(value) else read(name, value)

    def _flag(self, name: str, value: Any) -> bool:
        if value is None or isinstance(value, bool):
            return value is True
        self._refuse("unsupported-attribute", f"Expected {name} of {self._name} to be true or false, but it is {value!r}")
        return False

    def _number(self, name: str, value: Any) -> float | None:
        if value in ("", None):
            return None
        try:
            found = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            found = math.nan
        if math.isfinite(found):
            return found
        self._refuse("unsupported-attribute", f"Expected {name} of {self._name} to be a number, but it is {value!r}")
        return None

    def _whole(self, name: str, value: Any) -> int | None:
        found = self._number(name, value)
        if found is None or (found >= 0 and found.is_integer()):
            return None if found is None else int(found)
        self._refuse("unsupported-attribute", f"Expected {name} of {self._name} to be a whole number, but it is {value!r}")
        return None

    def _choice(self, name: str, value: Any, known: tuple[str, ...]) -> str | None:
        if value in _NO_VALIDATION or value in known:
            return value if value in known else None
        self._refuse("unsupported-attribute", f"Expected {name} of {self._name} to be one of {', '.join(known)}, but it is {value!r}")
        return None

    def _pattern(self, pattern: Any) -> str | None:
        if not pattern:
            return None
        try:
            patterns.compile_pattern(str(pattern))
        except ExpressionError as error:
            self._refuse("bad-pattern", f"{self._name}: {error}")
        return str(pattern)

    def _format(self, kind: FieldType) -> Format | None:
        properties = self._source.get("properties")
        name = properties.get("onething.format") if isinstance(properties, Mapping) else None
        if not name:
            return None
        found = self._choice("onething.format", name, tuple(Format))
        if found and kind is not FieldType.TEXT:
            self._refuse("unsupported-attribute", f"Expected onething.format on a text field, but {self._name} is none")
        return Format(found) if found else None

    def _judge(self, field: Field) -> None:
        """Refuse what no value could fulfil: a default that does not fit, a lower bound above the upper one."""
        for low, high in ((field.minimum, field.maximum), (field.min_length, field.max_length)):
            if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
                self._refuse("bad-bounds", f"Expected the least of {self._name} below the most, but {low:g} is above {high:g}")
        if field.key in {name for each in (*field.hide, field.expression) if each for name in each.names}:
            self._refuse(
                "self-reference", f"Expected {self._name} not to depend on itself, but its condition or its value mentions {field.key}"
            )
        if field.type is FieldType.EXPRESSION or field.options_from:
            return
        field = field.settled(lambda _name, _expression: None)
        if field.default is not None and (reason := checks.wrong(field, field.default, field.options)):
            self._refuse("bad-default", f"Expected the default of {self._name} {reason}")
