"""Which names a template uses, followed through the types of its context into loops, parts and parents."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

from jinja2 import Environment, nodes

UNKNOWN = object()
"""The type of what is not looked into: a macro, what a filter makes, a value of a library."""
Types = Mapping[str, Any]
LOOP = "loop"


def wrong_names(environment: Environment, template: str, context: type) -> list[str]:
    """Names and attributes that ``template`` uses and ``context`` does not have."""
    known = dict.fromkeys((*environment.globals, "self"), UNKNOWN)  # `self`: the blocks of the template
    return list(_Reader(environment).read(template, {**known, **fields_of(context)}))


def fields_of(context: type) -> dict[str, Any]:
    hints = get_type_hints(context)
    return {field.name: hints[field.name] for field in dataclasses.fields(context)}


class _Reader:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._template = ""

    def read(self, template: str, types_of: Types) -> Iterator[str]:
        assert self._environment.loader is not None
        source, _, _ = self._environment.loader.get_source(self._environment, template)
        outer, self._template = self._template, template
        tree = self._environment.parse(source)
        names = dict(types_of)
        for imported in tree.find_all((nodes.Import, nodes.FromImport)):
            assert isinstance(imported, nodes.Import), "import macros as one name"
            names[imported.target] = UNKNOWN
        for parent in tree.find_all(nodes.Extends):
            assert isinstance(parent.template, nodes.Const)
            yield from self.read(parent.template.value, names)
            names.update(self._imported_by(parent.template.value))
            self._template = template
        yield from self._body(tree.body, names)
        self._template = outer

    def _imported_by(self, template: str) -> dict[str, Any]:
        assert self._environment.loader is not None
        source, _, _ = self._environment.loader.get_source(self._environment, template)
        tree = self._environment.parse(source)
        found = {imported.target: UNKNOWN for imported in tree.find_all(nodes.Import)}
        for parent in tree.find_all(nodes.Extends):
            assert isinstance(parent.template, nodes.Const)
            found |= self._imported_by(parent.template.value)
        return found

    def _body(self, body: list[nodes.Node], names: dict[str, Any]) -> Iterator[str]:
        for node in body:
            yield from self._node(node, names)

    def _node(self, node: nodes.Node, names: dict[str, Any]) -> Iterator[str]:
        if isinstance(node, nodes.For):
            yield from self._node(node.iter, names)
            inner = {**names, LOOP: UNKNOWN}
            _bind(node.target, _element(_type_of(node.iter, names)), inner)
            yield from self._body(node.body, inner)
            yield from self._body(node.else_, names)
        elif isinstance(node, nodes.Assign):
            yield from self._node(node.node, names)
            _bind(node.target, _type_of(node.node, names), names)
        elif isinstance(node, nodes.Include):
            assert isinstance(node.template, nodes.Const), "the name of an included template is written out"
            yield from self.read(node.template.value, names)
        elif isinstance(node, nodes.Macro):
            yield from self._macro(node, names)
        elif isinstance(node, nodes.Name):
            if node.name not in names:
                yield f"{self._template}:{node.lineno}: {node.name}"
        elif isinstance(node, nodes.Getattr):
            yield from self._node(node.node, names)
            owner = _type_of(node.node, names)
            if owner is not UNKNOWN and _attribute(owner, node.attr) is None:
                yield f"{self._template}:{node.lineno}: {node.attr} of {owner}"
        else:
            yield from self._body(list(node.iter_child_nodes()), names)

    def _macro(self, node: nodes.Macro, names: dict[str, Any]) -> Iterator[str]:
        given = {argument.name: UNKNOWN for argument in node.args}
        yield from self._body(node.body, {**names, **given, "varargs": UNKNOWN, "caller": UNKNOWN})


def _bind(target: nodes.Node, kind: Any, names: dict[str, Any]) -> None:
    if isinstance(target, nodes.Name):
        names[target.name] = kind
        return
    for name in target.find_all(nodes.Name):
        names[name.name] = UNKNOWN


def _type_of(node: nodes.Node, names: Types) -> Any:
    if isinstance(node, nodes.Name):
        return _present(names.get(node.name, UNKNOWN))
    if isinstance(node, nodes.Getattr):
        owner = _type_of(node.node, names)
        found = UNKNOWN if owner is UNKNOWN else _attribute(owner, node.attr)
        return UNKNOWN if found is None else _present(found)
    if isinstance(node, nodes.Getitem):
        return _element(_type_of(node.node, names))
    return UNKNOWN


def _attribute(owner: type, name: str) -> Any:
    """The type of an attribute, None where there is none."""
    if dataclasses.is_dataclass(owner):
        found = fields_of(owner).get(name)
        if found is not None:
            return found
        member = getattr(owner, name, None)
        return get_type_hints(member.fget)["return"] if isinstance(member, property) else None
    return UNKNOWN if hasattr(owner, name) else None


def _present(kind: Any) -> Any:
    """Without None: a template asks first whether something is there."""
    if get_origin(kind) in (Union, types.UnionType):
        kinds = [one for one in get_args(kind) if one is not type(None)]
        return kinds[0] if len(kinds) == 1 else UNKNOWN
    return kind if isinstance(kind, type) or get_origin(kind) else UNKNOWN


def _element(kind: Any) -> Any:
    arguments = get_args(kind)
    return _present(arguments[0]) if get_origin(kind) is tuple and arguments else UNKNOWN
