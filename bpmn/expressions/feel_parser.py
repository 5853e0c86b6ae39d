"""Grammar of FEEL (DMN 1.3, chapter 10.3.1): operators, loops, and the tests of table cells."""

from __future__ import annotations

from bpmn.expressions import decimals, feel, feel_forms
from bpmn.expressions.feel_names import RESERVED
from bpmn.expressions.feel_values import HINTS, ValueParser
from bpmn.expressions.scope import UNKNOWN, Node, node

_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
#: What no expression begins with.
_ENDS = RESERVED | {")", ",", "}"}
#: What may stand behind a unary test; the end has no text.
_BEHIND_TEST = frozenset({",", ")", ""})
#: Arithmetic operators: how tightly they bind.
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 3}


class FeelParser(ValueParser):
    """Reads one expression and remembers what it mentions."""

    def parse(self) -> Node:
        """Read the whole source as one expression."""
        root = self._expression()
        self._finish()
        return root

    def parse_tests(self) -> tuple[list[Node], bool]:
        """Read the whole source as a cell of a table: tests of which one must be met, or (second value true) none in `not(…)`."""
        negated = self._tokens.at("not") and self._tokens.ahead(1).text == "("
        if negated:
            self._tokens.advance(2)
        tests = [self.test(), *self._more_tests()]
        if negated:
            self._tokens.expect(")")
        self._finish()
        return tests, negated

    def _finish(self) -> None:
        if hint := HINTS.get(self._tokens.current.text):
            self._tokens.refuse("an operator", hint)
        self._tokens.finish()

    def _expression(self) -> Node:
        self._tokens.enter()
        found = self._choice() if self._tokens.at("if") else self._loop_or_test()
        self._tokens.leave()
        return found

    def _loop_or_test(self) -> Node:
        if self._tokens.at("for"):
            return self._loop()
        return self._quantifier() if self._tokens.at("some", "every") else self._either()

    def _choice(self) -> Node:
        self._tokens.expect("if")
        condition = self._expression()
        self._tokens.expect("then")
        yes = self._expression()
        self._tokens.expect("else")
        no = self._expression()
        return node(feel_forms.choice(condition.run, yes.run, no.run), condition, yes, no)

    def _loop(self) -> Node:
        self._tokens.expect("for")
        iterations = self._iterations("return")
        names = [name for name, _ in iterations]
        before = self._names.partials
        with self._names.bound("partial", *names):
            body = self._expression()
        run = feel_forms.loop(iterations, body, partial=self._names.partials > before and "partial" not in names)
        return node(run, body, *(domain for _, domain in iterations))

    def _quantifier(self) -> Node:
        every = self._tokens.advance().text == "every"
        iterations = self._iterations("satisfies")
        with self._names.bound(*(name for name, _ in iterations)):
            body = self._expression()
        run = feel_forms.quantifier(iterations, body, every=every)
        return node(run, body, *(domain for _, domain in iterations), truth=True)

    def _iterations(self, last: str) -> list[feel_forms.Iteration]:
        """Read `x in xs, y in ys` up to `return` or `satisfies`; later domains see the earlier variables."""
        iterations: list[feel_forms.Iteration] = []
        while True:
            name = self._names.declare("in")
            self._tokens.expect("in")
            with self._names.bound(*(earlier for earlier, _ in iterations)):
                iterations.append((name, self._domain()))
            if self._tokens.accept(last):
                return iterations
            self._tokens.expect(",")

    def _domain(self) -> Node:
        low = self._expression()
        if not self._tokens.accept(".."):
            return low
        high = self._expression()
        return node(feel_forms.interval(low.run, high.run, low_closed=True, high_closed=True), low, high)

    def _either(self) -> Node:
        left = self._both()
        while self._tokens.accept("or"):
            right = self._both()
            left = node(feel.either(left.run, right.run), left, right, truth=True)
        return left

    def _both(self) -> Node:
        left = self._comparison()
        while self._tokens.accept("and"):
            right = self._comparison()
            left = node(feel.both(left.run, right.run), left, right, truth=True)
        return left

    def _comparison(self) -> Node:
        left = self._arithmetic(1)
        while True:
            if self._tokens.at(*_COMPARISONS):
                symbol = self._tokens.advance().text
                right = self._arithmetic(1)
                left = node(feel.comparison(symbol, left.run, right.run), left, right, truth=True)
            elif self._tokens.accept("between"):
                low = self._arithmetic(1)
                self._tokens.expect("and")
                high = self._arithmetic(1)
                left = node(feel.between(left.run, low.run, high.run), left, low, high, truth=True)
            elif self._tokens.accept("in"):
                left = self._inclusion(left)
            elif self._tokens.accept("instance"):
                left = self._instance(left)
            else:
                return left

    def _inclusion(self, value: Node) -> Node:
        """Read what follows `in`: one test, or several in brackets."""
        tests = self._in_brackets() if self._tokens.at("(") else [self.test()]
        return node(feel_forms.inclusion(value.run, [test.run for test in tests]), value, *tests, truth=True)

    def _in_brackets(self) -> list[Node]:
        opening = self._tokens.expect("(").text
        first = self.test()
        if self._tokens.at(".."):
            span = self._interval(opening, first)
            return [node(feel_forms.unary_test(span.run, decides=False), span)]
        tests = [first, *self._more_tests()]
        self._tokens.expect(")")
        return tests

    def _more_tests(self) -> list[Node]:
        tests: list[Node] = []
        while self._tokens.accept(","):
            tests.append(self.test())
        return tests

    def test(self) -> Node:
        """Read one unary test: `< 5`, `[1..5)`, `"a"`, `? > 3`; it tells whether `?` meets it."""
        if self._tokens.at(*_COMPARISONS):
            symbol = self._tokens.advance().text
            operand = self._arithmetic(1)
            return node(feel.comparison(symbol, feel_forms.variable("?"), operand.run), operand, truth=True)
        literal = self._tokens.at("true", "false") and self._tokens.ahead(1).text in _BEHIND_TEST
        before = self._asked
        self._testing += 1
        value = self._expression()
        self._testing -= 1
        if self._tokens.at(".."):
            return value
        decides = value.truth or self._asked > before
        return node(feel_forms.unary_test(value.run, decides=decides, literal=literal), value, truth=True)

    def _instance(self, value: Node) -> Node:
        self._tokens.expect("of")
        check = self._types.read()
        return node(feel_forms.instance(value.run, check), value, truth=True)

    def _arithmetic(self, lowest: int) -> Node:
        left = self._unary()
        while (binding := _BINDING.get(self._tokens.current.text, 0)) >= lowest:
            symbol = self._tokens.advance().text
            right = self._arithmetic(binding + 1)
            left = node(feel.arithmetic(symbol, left.run, right.run), left, right)
        return left

    def _unary(self) -> Node:
        count = 0
        while self._tokens.accept("-"):
            count += 1
        operand = self._postfix()
        for _ in range(count):
            written = -operand.value if decimals.is_number(operand.value) else UNKNOWN
            operand = node(feel.minus(operand.run), operand, value=written)
        return operand

    def _at_filter(self) -> bool:
        """Tell whether `[` begins a filter, and does not end an interval such as `]1..5[`."""
        following = self._tokens.ahead(1)
        return self._tokens.at("[") and following.kind != "end" and following.text not in _ENDS

    def _postfix(self) -> Node:
        callable_ = self._tokens.current.kind == "name" or self._tokens.at("(", "{")
        base = self._value()
        while True:
            if self._tokens.accept("."):
                base, callable_ = node(feel_forms.path(base.run, self._names.member()), base), True
            elif self._at_filter():
                base, callable_ = self._filter(base), True
            elif callable_ and self._tokens.at("("):
                base = self._call(base)
            else:
                return base

    def _filter(self, base: Node) -> Node:
        self._tokens.expect("[")
        with self._names.filtered():
            condition = self._expression()
        self._tokens.expect("]")
        return node(feel_forms.filtering(base.run, condition), base, condition)
