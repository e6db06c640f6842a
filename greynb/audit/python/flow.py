"""Values of expressions: names are followed to where they are bound, within one file, without running it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TypeAlias

from greynb.audit.python.branches import Branches, decides, empties, excludes, returned
from greynb.audit.python.module import COMPREHENSIONS, FUNCTIONS, Binding, Function, Module, looped
from greynb.audit.values import (
    NOTHING,
    Items,
    Mapping,
    Number,
    Table,
    Temporary,
    Text,
    Unknown,
    Value,
    first,
    one_of,
)

Given: TypeAlias = dict[str, Value]
_STEPS = 50_000  # evaluations per file, after which everything is unknown
_DEPTH = 40  # names followed from one to the next
_TEMPORARY = {"tmp_path", "tmpdir", "tmp_path_factory", "tmpdir_factory", "tmp_dir"}


class Flow:
    """The values of one module's expressions."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._known: dict[ast.AST, Value] = {}
        self._open: set[tuple[ast.AST, int]] = set()
        self._given: list[tuple[Function, Given]] = []
        self._steps = 0

    def value(self, node: ast.expr) -> Value:
        """What an expression can be."""
        if not self._given and node in self._known:
            return self._known[node]
        key = (node, len(self._given))
        self._steps += 1
        if key in self._open or len(self._open) > _DEPTH * 5 or self._steps > _STEPS:
            return self.unknown(node)
        self._open.add(key)
        try:
            found = self._value(node)
        finally:
            self._open.discard(key)
        if not self._given and not self._open:
            self._known[node] = found
        return found

    def unknown(self, node: ast.expr) -> Unknown:
        """An unknown value that remembers how it is written."""
        return Unknown(self.module.source(node))

    def _value(self, node: ast.expr) -> Value:
        from greynb.audit.python import calls, texts

        match node:
            case ast.Constant(value=str() as text):
                return Text((text,), self.module.place(node))
            case ast.Constant(value=None):
                return NOTHING
            case ast.Constant(value=int() | float()):
                return Text((str(node.value),), self.module.place(node))
            case ast.Name():
                return self._name(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.JoinedStr() | ast.BinOp():
                return texts.built(self, node)
            case ast.BoolOp(op=ast.Or()):
                return first([self.value(each) for each in node.values])
            case ast.BoolOp():
                return self.value(node.values[-1])
            case ast.IfExp():
                return self._either(node)
            case ast.Call():
                return calls.value_of_call(self, node)
            case ast.Subscript():
                return calls.value_of_subscript(self, node)
            case _:
                return self._collection(node)

    def _collection(self, node: ast.expr) -> Value:
        match node:
            case ast.Tuple() | ast.List() | ast.Set():
                return Items(
                    tuple(self.value(each) for each in node.elts if not isinstance(each, ast.Starred))
                )
            case ast.GeneratorExp() | ast.ListComp() | ast.SetComp():
                return Items((self.value(node.elt),), repeated=True)
            case ast.Starred() | ast.Await() | ast.NamedExpr():
                return self.value(node.value)
            case ast.Dict():
                return self._dictionary(node)
            case _:
                return self.unknown(node)

    def _dictionary(self, node: ast.Dict) -> Value:
        values = [self.value(each) for each in node.values]
        merged = [value for key, value in zip(node.keys, values, strict=True) if key is None]
        if merged:
            return Mapping() if any(isinstance(each, Mapping) for each in merged) else self.unknown(node)
        return Table(tuple(self.value(key) for key in node.keys if key is not None), tuple(values))

    def _either(self, node: ast.IfExp) -> Value:
        body, other = self.value(node.body), self.value(node.orelse)
        if not decides(self, node.test):
            return one_of([body, other])
        return first([other, body] if empties(node.test) else [body, other])

    def _name(self, node: ast.Name) -> Value:
        scope = self.module.scope(node)
        for parent in self.module.above(node):
            if parent is scope:
                break
            if isinstance(parent, COMPREHENSIONS):
                for generator in parent.generators:
                    for target, binding in looped(parent, generator.target, generator.iter):
                        if isinstance(target, ast.Name) and target.id == node.id:
                            return self.bound(binding)
        return self._looked_up(node, scope)

    def _looked_up(self, node: ast.Name, scope: ast.AST) -> Value:
        own = True
        while True:
            found = self.module.bindings[scope].get(node.id)
            parameter = self._parameter(scope, node.id)
            if found and (own or not isinstance(scope, ast.ClassDef)):
                reaching = self._reaching(found, node) if own else found
                before = [parameter] if parameter and not self._always(reaching, node) else []
                if reaching or before:
                    return Branches(self, before).after(reaching)
            if parameter:
                return parameter
            if scope is self.module.tree:
                return Mapping() if self.module.dotted(node) == "os.environ" else self.unknown(node)
            scope, own = self.module.scope(scope), False

    def _attribute(self, node: ast.Attribute) -> Value:
        name = self.module.dotted(node)
        if name == "os.environ":
            return Mapping()
        if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            owner = self.module.owner(node)
            found = self.module.attributes[owner].get(node.attr) or (
                self.module.bindings[owner].get(node.attr) if owner else None
            )
            if found:
                scope = self.module.scope(node)
                same = [each for each in found if self.module.scope(each.statement) is scope]
                before = bool(same) and same[0].statement.lineno < node.lineno
                return Branches(self, []).after(self._reaching(same, node) if before else found)
        if node.attr in ("name", "path") and isinstance(inner := self.value(node.value), Temporary):
            return inner
        return self.unknown(node)

    def _parameter(self, scope: ast.AST, name: str) -> Value | None:
        if not isinstance(scope, FUNCTIONS):
            return None
        for function, given in reversed(self._given):
            if function is scope:
                return given.get(name)
        arguments = scope.args
        everything = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        if name not in [each.arg for each in everything]:
            return None
        if name in _TEMPORARY:
            return Temporary()
        annotation = next(each.annotation for each in everything if each.arg == name)
        if isinstance(annotation, ast.Name) and annotation.id in ("int", "float", "bool"):
            return Number()
        default = self._default(scope, name)
        calls = [call for call in self.module.called[scope.name] if self.module.function(call) is scope]
        if not calls or len(calls) > 40:
            return one_of([default, Unknown(name)]) if default else Unknown(name)
        passed = [self.arguments(scope, call).get(name) for call in calls]
        return one_of([each for each in passed if each is not None] or [Unknown(name)])

    def _default(self, function: Function, name: str) -> Value | None:
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = dict(
            zip([each.arg for each in reversed(positional)], reversed(arguments.defaults), strict=False)
        )
        defaults |= {
            each.arg: default
            for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default is not None
        }
        return self.value(defaults[name]) if name in defaults else None

    def arguments(self, function: Function, call: ast.Call) -> Given:
        """What a call gives the parameters of a function of this file."""
        names = [each.arg for each in [*function.args.posonlyargs, *function.args.args]]
        if isinstance(self.module.scope(function), ast.ClassDef) and names[:1] in (["self"], ["cls"]):
            names = names[1:]
        given = {
            each.arg: default
            for each in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            if (default := self._default(function, each.arg)) is not None
        }
        given |= {name: self.value(each) for name, each in zip(names, call.args, strict=False)}
        given |= {each.arg: self.value(each.value) for each in call.keywords if each.arg}
        return given

    def returned(self, function: Function, call: ast.Call) -> Value:
        """What a call of a function of this file gives back, with the arguments of the call."""
        if len(self._given) > 3:
            return self.unknown(call)
        ends = self.module.ends[function]
        given = self.arguments(function, call)
        self._given.append((function, given))
        try:
            found = [Binding(self.module.statement(end), "value", end.value) for end in ends if end.value]
            return returned(self, found) if found else self.unknown(call)
        finally:
            self._given.pop()

    def _reaching(self, found: Sequence[Binding], use: ast.expr) -> list[Binding]:
        """The bindings that can hold where a name is used; all, where none comes before (in a loop)."""
        path, inside = self.module.path(use), set(self.module.above(use))
        where = (use.lineno, use.col_offset)
        reaching: list[Binding] = []
        for each in reversed(found):
            at = each.statement
            if (at.lineno, at.col_offset) > where or excludes(self.module.path(at), path):
                continue
            if (
                at in inside
                and each.kind in ("value", "added", "part")
                and not isinstance(at, ast.With | ast.AsyncWith)
            ):
                continue
            reaching.insert(0, each)
            if each.kind not in ("added", "appended", "extended") and self._dominates(each, path):
                break
        return reaching or [each for each in found if each.statement not in inside]

    def _dominates(self, binding: Binding, path: Sequence[tuple[ast.AST, str]]) -> bool:
        own = self.module.path(binding.statement)
        return tuple(path[: len(own)]) == own

    def _always(self, found: Sequence[Binding], use: ast.expr) -> bool:
        path = self.module.path(use)
        return any(each.kind in ("value", "item", "part") and self._dominates(each, path) for each in found)

    def bound(self, binding: Binding) -> Value:
        """What a single binding gives a name."""
        value = self.value(binding.node)
        if binding.kind == "item":
            return self._item(value, binding.part)
        if binding.kind == "part":
            if isinstance(value, Items) and binding.part < len(value.items) and not value.repeated:
                return value.items[binding.part]
            return value if isinstance(value, Temporary) else self.unknown(binding.node)
        return value

    def _item(self, value: Value, part: int) -> Value:
        if isinstance(value, Table):
            value = Items(value.keys)
        if not isinstance(value, Items):
            return Unknown()
        if not part:
            return one_of(list(value.items))
        pieces = [
            each.items[part - 1]
            for each in value.items
            if isinstance(each, Items) and len(each.items) >= part
        ]
        return one_of(list(pieces)) if pieces and len(pieces) == len(value.items) else Unknown()

    def at_end(self, scope: ast.AST, name: str) -> Value:
        """What a name of a scope holds after all its bindings."""
        return Branches(self, []).after(self.module.bindings[scope].get(name, []))
