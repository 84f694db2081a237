"""Products in 8 bits: close to the real ones, and each row by itself."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from app.services.sentiment.int8_graph import quantise_rows, quantise_tables

WIDTH, MIDDLE, OUT = 48, 32, 5


def make_model(first: NDArray[np.float32], second: NDArray[np.float32]) -> onnx.ModelProto:
    """x (texts, tokens, WIDTH) through both matrices, and through the first alone once more."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "first"], ["between"]),
            helper.make_node("MatMul", ["between", "second"], ["y"]),
            helper.make_node("MatMul", ["x", "first"], ["again"]),
        ],
        "two_products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["texts", "tokens", WIDTH])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["texts", "tokens", OUT]),
            helper.make_tensor_value_info("again", TensorProto.FLOAT, ["texts", "tokens", MIDDLE]),
        ],
        [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model: onnx.ModelProto, x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"x": x}))


@pytest.fixture
def numbers() -> np.random.Generator:
    return np.random.default_rng(20260301)


@pytest.fixture
def model(numbers: np.random.Generator) -> onnx.ModelProto:
    first = numbers.normal(size=(WIDTH, MIDDLE)).astype(np.float32)
    return make_model(first, numbers.normal(size=(MIDDLE, OUT)).astype(np.float32))


def test_products_come_close(model: onnx.ModelProto, numbers: np.random.Generator) -> None:
    x = numbers.normal(size=(3, 7, WIDTH)).astype(np.float32)
    exact = run(model, x)
    quantise_rows(model)
    onnx.checker.check_model(model)
    for found, expected in zip(run(model, x), exact, strict=True):
        error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
        assert 0 < error < 0.03


def test_a_row_beside_a_giant_one_stays_as_it_is(
    model: onnx.ModelProto, numbers: np.random.Generator
) -> None:
    quantise_rows(model)
    small = numbers.normal(size=(1, 1, WIDTH)).astype(np.float32)
    beside = np.concatenate([small * 1000, small, small * 0], axis=1)
    alone, together = run(model, small)[0][0, 0], run(model, beside)[0][0]
    assert (together[1] == alone).all()
    assert np.allclose(together[0], alone * 1000, rtol=1e-4)
    assert not together[2].any()


def test_no_matrix_is_kept_twice(model: onnx.ModelProto) -> None:
    quantise_rows(model)
    names = [constant.name for constant in model.graph.initializer]
    assert len(set(names)) == len(names)
    assert "first" not in names
    assert sum(node.op_type == "QuantizeLinear" for node in model.graph.node) == 2
    weights = [each for each in model.graph.initializer if each.data_type == TensorProto.INT8]
    assert len(weights) == 2
    # Two products of 255 and the largest weight must fit in 16 bits on processors without VNNI.
    assert max(int(np.abs(numpy_helper.to_array(each)).max()) for each in weights) * 255 * 2 < 2**15


def test_tables_come_close_and_a_row_hangs_on_no_other(numbers: np.random.Generator) -> None:
    table = numbers.normal(size=(400, 300)).astype(np.float32) * np.linspace(0.01, 3, 400)[:, None].astype(
        "f4"
    )
    small = numbers.normal(size=(3, 300)).astype(np.float32)

    def make() -> onnx.ModelProto:
        nodes = [
            helper.make_node("Gather", ["table", "places"], ["read"]),
            helper.make_node("Gather", ["small", "places"], ["kept"]),
            helper.make_node("Add", ["read", "kept"], ["y"]),
        ]
        places = helper.make_tensor_value_info("places", TensorProto.INT64, ["n"])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 300])
        constants = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(small, "small")]
        graph = helper.make_graph(nodes, "tables", [places], [y], constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)

    model = make()
    whole = len(model.SerializeToString())
    quantise_tables(model)
    onnx.checker.check_model(model)
    assert len(model.SerializeToString()) < 0.3 * whole
    assert {constant.name for constant in model.graph.initializer} == {"table_int8", "table_scales", "small"}
    places = np.array([2, 0, 1, 2])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    [found] = session.run(None, {"places": places})
    reach = np.abs(table[places]).max(axis=1, keepdims=True)
    assert (np.abs(found - table[places] - small[places]) <= reach / 127 / 2 + 1e-6).all()
    [alone] = session.run(None, {"places": places[:1]})
    assert np.array_equal(alone[0], found[0])
