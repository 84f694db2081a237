"""Rewrites an ONNX graph so that its matrix products run in 8 bits, each row for itself."""

from __future__ import annotations

from typing import Any

LARGEST_WEIGHT = 63
"""7 bits: two products of 255 and 63 add up within 16 bits, where processors without VNNI add them."""
_MIDDLE = 128
_SMALLEST = 1e-12


def quantise_rows(model: Any) -> None:
    """Replace every product with a constant matrix in ``model`` (an onnx.ModelProto, changed in place).

    Dynamic quantisation as ``onnxruntime.quantization`` does it takes one scale from a whole batch, so that
    a text's scores hang on its neighbours. Here every row x (a token) has its own, s = max|x| / 127, and
    every column w of the matrix has t = max|w| / 63: x w is about s t (round(x / s) round(w / t)).
    """
    rewriting = _Rewriting(model.graph)
    for node in list(model.graph.node):
        if node.op_type == "MatMul" and rewriting.is_matrix(node.input[1]):
            rewriting.replace(node)
        else:
            rewriting.nodes.append(node)
    rewriting.finish()


def quantise_tables(model: Any, smallest: int = 100_000) -> None:
    """Keep large tables of embeddings (of more than ``smallest`` numbers) in 8 bits, a scale for each row.

    A row of a table is read by its number, so that its rounding hangs on nothing else. Tables are most of a
    small model's file; ``model`` (an onnx.ModelProto) is changed in place.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    constants = {constant.name: constant for constant in graph.initializer}
    nodes: list[Any] = []
    for node in list(graph.node):
        table = constants.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or len(table.dims) != 2 or table.data_type != TensorProto.FLOAT:
            nodes.append(node)
            continue
        if table.dims[0] * table.dims[1] <= smallest:
            nodes.append(node)
            continue
        rows, scales = _quantised_table(numpy_helper.to_array(table))
        names = f"{table.name}_int8", f"{table.name}_scales"
        if names[0] not in constants:
            for name, values in zip(names, (rows, scales), strict=True):
                constants[name] = numpy_helper.from_array(values, name)
        places, out = node.input[1], node.output[0]
        nodes += [
            helper.make_node("Gather", [names[0], places], [f"{out}_whole"]),
            helper.make_node("Cast", [f"{out}_whole"], [f"{out}_real"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [names[1], places], [f"{out}_scale"]),
            helper.make_node("Mul", [f"{out}_real", f"{out}_scale"], [out]),
        ]
    used = {name for node in nodes for name in node.input} | {each.name for each in graph.output}
    kept = [constant for name, constant in constants.items() if name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)


def _quantised_table(table: Any) -> tuple[Any, Any]:
    """Rows as int8, and the scale of each, of shape (rows, 1)."""
    import numpy as np

    scales = (np.maximum(np.abs(table).max(axis=1, keepdims=True), _SMALLEST) / 127).astype(np.float32)
    return np.rint(table / scales).astype(np.int8), scales


class _Rewriting:
    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._constants = {constant.name: constant for constant in graph.initializer}
        self._rows: dict[str, tuple[str, str]] = {}
        self._columns: dict[str, tuple[str, str]] = {}
        self.nodes: list[Any] = []

    def is_matrix(self, name: str) -> bool:
        return name in self._constants and len(self._constants[name].dims) == 2

    def replace(self, node: Any) -> None:
        from onnx import TensorProto

        rows, row_scales = self._quantised_rows(node.input[0], self._constants[node.input[1]].dims[0])
        matrix, column_scales = self._quantised_columns(node.input[1])
        middle = self._constant("int8_middle", _MIDDLE, "uint8")
        whole = self._add("MatMulInteger", [rows, matrix, middle], node.output[0], "whole")
        real = self._add("Cast", [whole], node.output[0], "real", to=TensorProto.FLOAT)
        scaled = self._add("Mul", [real, row_scales], node.output[0], "scaled")
        self._append("Mul", [scaled, column_scales], node.output[0])

    def finish(self) -> None:
        used = {name for node in self.nodes for name in node.input}
        kept = [constant for name, constant in self._constants.items() if name in used]
        del self._graph.node[:], self._graph.initializer[:]
        self._graph.node.extend(self.nodes)
        self._graph.initializer.extend(kept)

    def _quantised_rows(self, name: str, width: int) -> tuple[str, str]:
        """Names of the rows (uint8, shaped as ``name``) and of their scales (its last axis being 1)."""
        if name not in self._rows:
            last, flat = (
                self._constant("int8_last", [-1], "int64"),
                self._constant("int8_flat", [-1], "int64"),
            )
            smallest = self._constant("int8_smallest", _SMALLEST, "float32")
            full = self._constant("int8_full", 1 / 127, "float32")
            rows = self._constant(f"int8_rows_{width}", [-1, width], "int64")
            highest = self._add("ReduceMax", [name, last], name, "highest", keepdims=1)
            lowest = self._add("ReduceMin", [name, last], name, "lowest", keepdims=1)
            depth = self._add("Neg", [lowest], name, "depth")
            reach = self._add("Max", [highest, depth, smallest], name, "reach")
            scales = self._add("Mul", [reach, full], name, "scales")
            scale_list = self._add("Reshape", [scales, flat], name, "scale_list")
            count = self._add("Shape", [scale_list], name, "count")
            middles = self._constant("int8_middles", [_MIDDLE], "uint8")
            zero_points = self._add("Expand", [middles, count], name, "zero_points")
            table = self._add("Reshape", [name, rows], name, "table")
            cells = self._add("QuantizeLinear", [table, scale_list, zero_points], name, "cells", axis=0)
            shape = self._add("Shape", [name], name, "shape")
            shaped = self._add("Reshape", [cells, shape], name, "shaped")
            self._rows[name] = shaped, scales
        return self._rows[name]

    def _quantised_columns(self, name: str) -> tuple[str, str]:
        """Names of the matrix (int8) and of the scales of its columns."""
        import numpy as np
        from onnx import numpy_helper

        if name not in self._columns:
            matrix = numpy_helper.to_array(self._constants[name])
            scales = np.maximum(np.abs(matrix).max(axis=0), _SMALLEST) / LARGEST_WEIGHT
            whole = np.rint(matrix / scales)
            self._columns[name] = (
                self._constant(f"{name}_int8", whole, "int8"),
                self._constant(f"{name}_scales", scales, "float32"),
            )
        return self._columns[name]

    def _constant(self, name: str, value: Any, kind: str) -> str:
        import numpy as np
        from onnx import numpy_helper

        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.array(value, dtype=kind), name)
        return name

    def _add(self, kind: str, inputs: list[str], of: str, part: str, **attributes: Any) -> str:
        output = f"{of}_int8_{part}"
        self._append(kind, inputs, output, **attributes)
        return output

    def _append(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"{output}_node", **attributes))
