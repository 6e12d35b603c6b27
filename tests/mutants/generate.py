"""Every change that the operators make of a source, found in solc's syntax tree."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.mutants import yul
from tests.mutants.compiler import source, syntax_trees
from tests.mutants.mutant import Edit, Mutant, apply

OTHER_OPERATORS = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "&&": ("||",),
    "||": ("&&",),
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "%": ("*",),
    "<<": (">>",),
    ">>": ("<<",),
    "&": ("|",),
    "|": ("&",),
    "^": ("&",),
}
STATEMENTS = {"ExpressionStatement", "EmitStatement", "RevertStatement"}


class Source:
    """A source file with its tree."""

    def __init__(self, file: str) -> None:
        self.file, self.text, self.tree = file, source(file), syntax_trees()[file]

    def mutants(self) -> Iterator[Mutant]:
        """Yield all changes, each once, in the order of the tree."""
        seen = set()
        for edits, path in self._edits(self.tree, []):
            mutant = self._mutant(edits, path)
            if mutant.edits not in seen:
                seen.add(mutant.edits)
                yield mutant

    def _edits(self, node: Any, path: list[Any]) -> Iterator[tuple[tuple[Edit, ...], list[Any]]]:
        path = [*path, node]
        for edits in self._changes(node, path):
            yield edits, path
        if node["nodeType"] == "InlineAssembly":
            return
        for child in children(node):
            yield from self._edits(child, path)

    # The operators

    def _changes(self, node: Any, path: list[Any]) -> Iterator[tuple[Edit, ...]]:
        kind = node["nodeType"]
        find = getattr(self, f"_of_{kind}", None)
        if find is not None:
            yield from find(node, path)
        if kind in STATEMENTS:
            start, end = self._statement(node)
            yield (Edit(start, end, "{}"),)

    def _of_BinaryOperation(self, node: Any, _: Any) -> Iterator[tuple[Edit, ...]]:
        left, right = node["leftExpression"], node["rightExpression"]
        between = span(left)[1], span(right)[0]
        operator = node["operator"]
        at = self.text.index(operator.encode(), *between)
        for other in OTHER_OPERATORS.get(operator, ()):
            yield (Edit(at, at + len(operator), other),)
        if operator in ("&&", "||"):
            for one in (left, right):
                yield (Edit(*span(node), self._of(one)),)

    def _of_Assignment(self, node: Any, _: Any) -> Iterator[tuple[Edit, ...]]:
        operator = node["operator"]
        if operator == "=":
            return
        between = span(node["leftHandSide"])[1], span(node["rightHandSide"])[0]
        at = self.text.index(operator.encode(), *between)
        for other in OTHER_OPERATORS.get(operator[:-1], ()):
            yield (Edit(at, at + len(operator), other + "="),)

    def _of_UnaryOperation(self, node: Any, _: Any) -> Iterator[tuple[Edit, ...]]:
        if node["operator"] in ("!", "~"):
            yield (Edit(*span(node), self._of(node["subExpression"])),)

    def _of_Conditional(self, node: Any, _: Any) -> Iterator[tuple[Edit, ...]]:
        yield self._swap(node["trueExpression"], node["falseExpression"])

    def _of_IfStatement(self, node: Any, _: Any) -> Iterator[tuple[Edit, ...]]:
        condition = node["condition"]
        yield (Edit(*span(condition), f"!({self._of(condition)})"),)

    def _of_FunctionCall(self, node: Any, _: Any) -> Iterator[tuple[Edit, ...]]:
        yield from self._swaps(node["arguments"])

    def _of_TupleExpression(self, node: Any, path: list[Any]) -> Iterator[tuple[Edit, ...]]:
        yield from self._swaps([one for one in node["components"] if one])

    def _of_Literal(self, node: Any, path: list[Any]) -> Iterator[tuple[Edit, ...]]:
        text = self._of(node)
        if node["kind"] == "bool":
            yield (Edit(*span(node), "false" if text == "true" else "true"),)
        elif node["kind"] == "number":
            yield from self._other_numbers(node, text)
        elif node["kind"] == "string" and path[-2]["nodeType"] == "FunctionCall" and text != '""':
            yield (Edit(*span(node), text[:-1] + ' "'),)

    def _other_numbers(self, node: Any, text: str) -> Iterator[tuple[Edit, ...]]:
        number, _, unit = text.partition(" ")
        value = int(number.replace("_", ""), 0)
        for other in (value + 1, value - 1):
            if other < 0:
                continue
            if len(number) == 42:
                from tallystick.protocol.hexes import checksummed

                shown = checksummed(other.to_bytes(20, "big"))
            elif number.startswith("0x"):
                shown = f"0x{other:0{len(number) - 2}x}"
            else:
                shown = str(other)
            yield (Edit(*span(node), f"{shown} {unit}".strip()),)

    def _of_MemberAccess(self, node: Any, _: Any) -> Iterator[tuple[Edit, ...]]:
        """Another member of the enum."""
        kind = node["typeDescriptions"].get("typeString") or ""
        of = node["expression"]["typeDescriptions"].get("typeString") or ""
        if not kind.startswith("enum ") or of != f"type({kind})":
            return
        members = _enums()[kind.removeprefix("enum ")]
        if node["memberName"] not in members:
            return
        other = members[(members.index(node["memberName"]) + 1) % len(members)]
        end = span(node)[1]
        yield (Edit(end - len(node["memberName"]), end, other),)

    def _of_FunctionDefinition(self, node: Any, _: Any) -> Iterator[tuple[Edit, ...]]:
        for modifier in node["modifiers"]:
            if modifier.get("kind") == "modifierInvocation":
                yield (Edit(*span(modifier), ""),)

    def _of_InlineAssembly(self, node: Any, _: Any) -> Iterator[tuple[Edit, ...]]:
        for edit, _place, _how in yul.changes(node["AST"], self.text):
            yield (edit,)

    # Pieces

    def _swaps(self, arguments: list[Any]) -> Iterator[tuple[Edit, ...]]:
        """Neighbours of one type change places."""
        for one, other in zip(arguments, arguments[1:], strict=False):
            if _loosely(one) == _loosely(other) and self._of(one) != self._of(other):
                yield self._swap(one, other)

    def _swap(self, one: Any, other: Any) -> tuple[Edit, ...]:
        return Edit(*span(one), self._of(other)), Edit(*span(other), self._of(one))

    def _of(self, node: Any) -> str:
        start, end = span(node)
        return self.text[start:end].decode()

    def _statement(self, node: Any) -> tuple[int, int]:
        """A statement with its semicolon, which solc leaves out of an expression's."""
        start, end = span(node)
        if self.text[end - 1 : end] != b";":
            end = self.text.index(b";", end) + 1
        return start, end

    def _mutant(self, edits: tuple[Edit, ...], path: list[Any]) -> Mutant:
        start, end = min(edit.start for edit in edits), max(edit.end for edit in edits)
        first = self.text.rfind(b"\n", 0, start) + 1
        last = self.text.find(b"\n", end)
        before = self.text[first:last]
        after = apply(self.text, edits, first, last)
        function = next(
            (
                node["name"] or node["kind"]
                for node in path
                if node["nodeType"] == "FunctionDefinition"
            ),
            "",
        )
        place, how = self._place(edits, path)
        return Mutant(
            self.file,
            function,
            self.text.count(b"\n", 0, start) + 1,
            edits,
            " ".join(before.decode().split()),
            " ".join(after.decode().split()),
            place,
            how,
        )

    def _place(self, edits: tuple[Edit, ...], path: list[Any]) -> tuple[tuple[int, int], str]:
        """The smallest part of the source around the edits that a switch can stand for."""
        node = path[-1]
        if node["nodeType"] == "InlineAssembly":
            return next(
                (place, how)
                for edit, place, how in yul.changes(node["AST"], self.text)
                if (edit,) == edits
            )
        if node["nodeType"] == "FunctionDefinition":
            return span(node), ""
        if node["nodeType"] == "IfStatement":
            return span(node["condition"]), "expression"
        if any(one.get("id") in _read_by_assembly() for one in path):
            return span(node), ""
        for place in range(len(path) - 1, 0, -1):
            node, parent = path[place], path[place - 1]
            if node["nodeType"] in STATEMENTS:
                return self._statement(node), "statement"
            if _switchable(node, parent):
                return span(node), f"expression {_cast(node, parent)}".strip()
        return span(path[-1]), ""


def mutants_of(files: list[str]) -> list[Mutant]:
    return [mutant for file in files for mutant in Source(file).mutants()]


def span(node: Any) -> tuple[int, int]:
    """Start and end of a node in its file, in bytes."""
    start, length, _ = map(int, node["src"].split(":"))
    return start, start + length


def children(node: Any) -> Iterator[Any]:
    for key, value in node.items():
        if key == "documentation":
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and "nodeType" in one:
                yield one


def _loosely(node: Any) -> str:
    """A type, less what does not keep two values from changing places."""
    kind = (node["typeDescriptions"].get("typeString") or "").split(" ")[0]
    return "uint" if kind.startswith(("uint", "int_const")) else kind


def _switchable(node: Any, parent: Any) -> bool:
    """Whether `condition ? other : node` may stand for an expression."""
    kind = (node.get("typeDescriptions") or {}).get("typeString") or ""
    if node["nodeType"] not in (
        "BinaryOperation",
        "UnaryOperation",
        "Conditional",
        "FunctionCall",
        "Literal",
        "MemberAccess",
        "TupleExpression",
    ):
        return False
    if kind.startswith(("tuple", "function", "type(", "literal_string", "error", "modifier")):
        return False
    if node["nodeType"] == "FunctionCall" and parent["nodeType"] in STATEMENTS:
        return False
    # A number of no type yet: its parent computes with it exactly.
    above = (parent.get("typeDescriptions") or {}).get("typeString") or ""
    if kind.startswith("int_const"):
        return not above.startswith("int_const") and _cast(node, parent) != ""
    return True


def _cast(node: Any, parent: Any) -> str:
    """The type that a number gets from its parent; empty where it has one."""
    if not node["typeDescriptions"]["typeString"].startswith("int_const"):
        return ""
    kinds = [parent.get("typeDescriptions"), parent.get("commonType")]
    shown = [(kind or {}).get("typeString") or "" for kind in kinds]
    return next((kind for kind in shown if kind.startswith("uint")), "")


@cache
def _read_by_assembly() -> set[int]:
    """Constants that assembly reads: they must stay literals."""
    found: set[int] = set()

    def walk(node: Any) -> None:
        if node["nodeType"] == "InlineAssembly":
            found.update(one["declaration"] for one in node["externalReferences"])
        for child in children(node):
            walk(child)

    for tree in syntax_trees().values():
        walk(tree)
    return found


def assemblies(file: str) -> list[tuple[int, int]]:
    """Start and end of each block of assembly, with its braces."""
    found = []

    def walk(node: Any) -> None:
        if node["nodeType"] == "InlineAssembly":
            found.append(span(node["AST"]))
        for child in children(node):
            walk(child)

    walk(syntax_trees()[file])
    return found


@cache
def _enums() -> dict[str, list[str]]:
    return {
        node["canonicalName"]: [member["name"] for member in node["members"]]
        for tree in syntax_trees().values()
        for node in tree["nodes"]
        if node["nodeType"] == "EnumDefinition"
    }
