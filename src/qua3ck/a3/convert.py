"""One fitted pipeline as an ONNX graph that gives the same answer on the same float32 input.

skl2onnx and onnxmltools do most of it. Some converters are replaced because theirs round
too early, name things differently each time or do not exist: scaling (a mean of 2014 in
float32 is off by 1e-4; powers likewise), LightGBM (double thresholds), nearest neighbours,
target means for several classes, and a scaled regression target.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qua3ck.store.releases import prelude

OUTPUT_SCORES = "scores"
OUTPUT_VALUES = "values"
_LARGEST_TABLE = 20_000_000


def to_onnx(pipeline: Any, spec: Mapping[str, Any]) -> bytes:
    """Return the graph of a fitted pipeline as bytes, the same for the same pipeline.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted on the prelude's output.
    spec : mapping
        The prelude's declaration: one graph input of shape (n_rows, 1) per model input,
        called ``c0``, ``c1``, ... in their order.

    Returns
    -------
    bytes
        A graph whose only output is ``scores`` (n_rows, n_classes in the pipeline's
        order) or ``values`` (n_rows, 1).

    Raises
    ------
    Exception
        Whatever the converters raise: of any kind, so the caller must expect any.
    """
    from skl2onnx import convert_sklearn, update_registered_converter
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    _register(update_registered_converter)
    kinds = prelude.inputs(spec)
    initial = [
        (f"c{at}", FloatTensorType([None, 1]) if kind == "number" else StringTensorType([None, 1]))
        for at, (_, kind) in enumerate(kinds)
    ]
    classify = spec["task"] != "regression"
    plain = _plainly_named(pipeline, [name for name, _ in kinds])
    options = {id(plain): {"zipmap": False}} if classify else None
    graph = convert_sklearn(
        plain,
        name="model",
        initial_types=initial,
        options=options,
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    _keep_one_output(graph, 1 if classify else 0, OUTPUT_SCORES if classify else OUTPUT_VALUES)
    _sort_opsets(graph)
    data: bytes = graph.SerializeToString(deterministic=True)
    return data


def _sort_opsets(graph: Any) -> None:
    """Put the operator sets in order; the converter lists them as its process hashes text."""
    listed = sorted(graph.opset_import, key=lambda opset: str(opset.domain))
    del graph.opset_import[:]
    graph.opset_import.extend(listed)


def _plainly_named(pipeline: Any, names: list[str]) -> Any:
    """Return the pipeline with its columns called ``c0``, ``c1``, ...; nothing is fitted anew.

    The converter would quietly rename "sepal length (cm)" itself, and could make one name
    of two.
    """
    import copy

    plain = {name: f"c{at}" for at, name in enumerate(names)}
    encode = copy.copy(pipeline[0])
    encode.transformers_ = [
        (name, part, plain[given] if isinstance(given, str) else [plain[one] for one in given])
        for name, part, given in encode.transformers_
    ]
    encode.feature_names_in_ = np.array([plain[name] for name in encode.feature_names_in_])
    renamed = copy.copy(pipeline)
    renamed.steps = [(pipeline.steps[0][0], encode), *pipeline.steps[1:]]
    return renamed


def _keep_one_output(graph: Any, position: int, name: str) -> None:
    """Drop the label output (the prelude decides) and give the other its fixed name."""
    from onnx import helper

    kept = graph.graph.output[position]
    graph.graph.node.append(helper.make_node("Identity", [kept.name], [name], name="result"))
    kept.name = name
    only = [kept]
    del graph.graph.output[:]
    graph.graph.output.extend(only)


def _register(update: Any) -> None:
    from lightgbm import LGBMClassifier, LGBMRegressor
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
    from sklearn.preprocessing import PowerTransformer, StandardScaler, TargetEncoder

    classify = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    update(
        LGBMClassifier,
        "LightGbmLGBMClassifier",
        calculate_linear_classifier_output_shapes,
        _boosted_trees,
        options=classify,
    )
    update(
        LGBMRegressor,
        "LgbmRegressor",
        calculate_linear_regressor_output_shapes,
        _boosted_trees,
        options={"split": None},
    )
    update(
        KNeighborsClassifier,
        "Qua3ckKNeighborsClassifier",
        calculate_linear_classifier_output_shapes,
        _neighbors,
        options=classify,
    )
    update(
        KNeighborsRegressor,
        "Qua3ckKNeighborsRegressor",
        calculate_linear_regressor_output_shapes,
        _neighbors,
    )
    update(StandardScaler, "Qua3ckStandardScaler", _same_width, _standard_scaler)
    update(PowerTransformer, "Qua3ckPowerTransformer", _same_width, _power_transformer)
    update(TargetEncoder, "Qua3ckTargetEncoder", _encoded_width, _target_encoder)
    update(
        TransformedTargetRegressor,
        "Qua3ckTransformedTargetRegressor",
        calculate_linear_regressor_output_shapes,
        _scaled_target,
        parser=_parse_scaled_target,
    )


class _RoundedDown:
    """A container whose tree thresholds are rounded towards minus infinity to float32.

    For x in float32 and a threshold t in float64, x <= t exactly if x <= floor32(t).
    """

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, op_type: str, *args: Any, **attributes: Any) -> Any:
        if "nodes_values" in attributes:
            attributes["nodes_values"] = _floor32(attributes["nodes_values"])
        return self._container.add_node(op_type, *args, **attributes)


def _floor32(thresholds: Any) -> list[float]:
    exact = np.asarray(thresholds, dtype=np.float64)
    near = exact.astype(np.float32)
    down = np.nextafter(near, np.float32(-np.inf))
    return [float(value) for value in np.where(near > exact, down, near)]


def _boosted_trees(scope: Any, operator: Any, container: Any) -> None:
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm

    convert_lightgbm(scope, operator, _RoundedDown(container))


def _same_width(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType

    width = sum(int(given.get_second_dimension()) for given in operator.inputs)
    operator.outputs[0].type = FloatTensorType([None, width])


def _standard_scaler(scope: Any, operator: Any, container: Any) -> None:
    fitted = operator.raw_operator
    columns = _as_double(scope, operator.inputs, container)
    _standardise(scope, operator, container, columns, fitted)


def _power_transformer(scope: Any, operator: Any, container: Any) -> None:
    """Write Yeo-Johnson in float64: one branch for x >= 0, one below, then standardise."""
    fitted = operator.raw_operator
    powers = fitted.lambdas_
    columns = _as_double(scope, operator.inputs, container)
    above = _emit(scope, container, "Relu", [columns])
    below = _emit(scope, container, "Relu", [_emit(scope, container, "Neg", [columns])])
    up = _box_cox(scope, container, above, powers)
    down = _box_cox(scope, container, below, 2.0 - powers)
    _standardise(
        scope,
        operator,
        container,
        _emit(scope, container, "Sub", [up, down]),
        fitted._scaler,
    )


def _box_cox(scope: Any, container: Any, columns: str, powers: Any) -> str:
    """Write ((x + 1) ** p - 1) / p, or log(x + 1) where p is 0; it is 0 at x = 0."""
    zero = np.abs(powers) < np.finfo(np.float64).eps
    shifted = _constant_op(scope, container, "Add", columns, np.ones(len(powers)))
    raised = _constant_op(scope, container, "Pow", shifted, np.where(zero, 1.0, powers))
    less = _constant_op(scope, container, "Sub", raised, np.ones(len(powers)))
    whole = _constant_op(scope, container, "Div", less, np.where(zero, 1.0, powers))
    if not zero.any():
        return whole
    log = _emit(scope, container, "Log", [shifted])
    kept = _constant_op(scope, container, "Mul", whole, np.where(zero, 0.0, 1.0))
    logs = _constant_op(scope, container, "Mul", log, np.where(zero, 1.0, 0.0))
    return _emit(scope, container, "Add", [kept, logs])


def _standardise(scope: Any, operator: Any, container: Any, columns: str, fitted: Any) -> None:
    shifted = _constant_op(scope, container, "Sub", columns, fitted.mean_)
    scaled = _constant_op(scope, container, "Div", shifted, fitted.scale_)
    _cast_out(scope, operator, container, scaled)


def _cast_out(scope: Any, operator: Any, container: Any, columns: str) -> None:
    from onnx import TensorProto

    container.add_node(
        "Cast",
        columns,
        operator.outputs[0].full_name,
        to=TensorProto.FLOAT,
        name=scope.get_unique_operator_name("Cast"),
    )


def _emit(scope: Any, container: Any, op: str, given: list[str]) -> str:
    made = str(scope.get_unique_variable_name(op.lower()))
    container.add_node(op, given, made, name=scope.get_unique_operator_name(op))
    return made


def _encoded_width(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType

    operator.outputs[0].type = FloatTensorType([None, len(operator.raw_operator.encodings_)])


def _target_encoder(scope: Any, operator: Any, container: Any) -> None:
    """Write one text-to-mean table per column and class, columns first."""
    fitted = operator.raw_operator
    per_column = 1 if fitted.target_type_ != "multiclass" else len(fitted.classes_)
    means = np.atleast_1d(fitted.target_mean_)
    columns = _single_columns(scope, operator.inputs, container)
    encoded: list[str] = []
    for at, encodings in enumerate(fitted.encodings_):
        column = columns[at // per_column]
        known = [str(word).encode() for word in fitted.categories_[at // per_column]]
        name = scope.get_unique_variable_name("mean")
        container.add_node(
            "LabelEncoder",
            column,
            name,
            op_domain="ai.onnx.ml",
            op_version=2,
            keys_strings=known,
            values_floats=[float(value) for value in encodings],
            default_float=float(means[at % per_column]),
            name=scope.get_unique_operator_name("LabelEncoder"),
        )
        encoded.append(name)
    container.add_node(
        "Concat",
        encoded,
        operator.outputs[0].full_name,
        axis=1,
        name=scope.get_unique_operator_name("Concat"),
    )


def _single_columns(scope: Any, inputs: Any, container: Any) -> list[str]:
    """Return each column by itself; the converter may have merged several into one input."""
    from onnx import TensorProto

    names: list[str] = []
    for given in inputs:
        width = int(given.get_second_dimension())
        if width == 1:
            names.append(given.full_name)
            continue
        for at in range(width):
            place = str(scope.get_unique_variable_name("place"))
            container.add_initializer(place, TensorProto.INT64, [1], [at])
            name = str(scope.get_unique_variable_name("column"))
            container.add_node(
                "Gather",
                [given.full_name, place],
                name,
                axis=1,
                name=scope.get_unique_operator_name("Gather"),
            )
            names.append(name)
    return names


def _parse_scaled_target(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    del custom_parsers
    from skl2onnx._parse import _parse_sklearn_simple_model

    inner = _parse_sklearn_simple_model(scope, model.regressor_, inputs)
    operator = scope.declare_local_operator("Qua3ckTransformedTargetRegressor", model)
    operator.inputs.extend(inner)
    from skl2onnx.common.data_types import FloatTensorType

    out = scope.declare_local_variable("variable", FloatTensorType([None, 1]))
    operator.outputs.append(out)
    return operator.outputs


def _scaled_target(scope: Any, operator: Any, container: Any) -> None:
    fitted = operator.raw_operator.transformer_
    columns = _as_double(scope, operator.inputs, container)
    scaled = _constant_op(scope, container, "Mul", columns, fitted.scale_)
    shifted = _constant_op(scope, container, "Add", scaled, fitted.mean_)
    _cast_out(scope, operator, container, shifted)


def _neighbors(scope: Any, operator: Any, container: Any) -> None:
    """Write: squared distances in float64, the k smallest, the mean of their targets."""
    from onnx import TensorProto

    fitted = operator.raw_operator
    if fitted.weights != "uniform" or fitted.effective_metric_ != "euclidean":
        message = "only unweighted Euclidean neighbours are converted"
        raise NotImplementedError(message)
    kept_rows = fitted._fit_X
    if kept_rows.shape[0] * kept_rows.shape[1] > _LARGEST_TABLE:
        message = "too many training rows and columns to keep in a graph"
        raise NotImplementedError(message)
    dense = kept_rows.toarray() if hasattr(kept_rows, "toarray") else kept_rows
    rows = np.asarray(dense, dtype=np.float32)
    targets = _one_hot_targets(fitted)

    def emit(op: str, given: list[str], count: int = 1, **attributes: Any) -> list[str]:
        made = [str(scope.get_unique_variable_name(op.lower())) for _ in range(count)]
        container.add_node(op, given, made, name=scope.get_unique_operator_name(op), **attributes)
        return made

    def constant(kind: int, shape: list[int], values: Any) -> str:
        name = str(scope.get_unique_variable_name("constant"))
        container.add_initializer(name, kind, shape, values)
        return name

    columns = _as_double(scope, operator.inputs, container)
    kept = constant(TensorProto.FLOAT, list(rows.T.shape), rows.T.ravel().tolist())
    (known,) = emit("Cast", [kept], to=TensorProto.DOUBLE)
    (products,) = emit("MatMul", [columns, known])
    twice = _constant_op(scope, container, "Mul", products, [-2.0])
    squares = (rows.astype(np.float64) ** 2).sum(axis=1)
    distances = _constant_op(scope, container, "Add", twice, squares)
    k = constant(TensorProto.INT64, [1], [int(fitted.n_neighbors)])
    _, nearest = emit("TopK", [distances, k], 2, axis=1, largest=0, sorted=1)
    table = constant(TensorProto.FLOAT, list(targets.shape), targets.ravel().tolist())
    (found,) = emit("Gather", [table, nearest], axis=0)
    (mean,) = emit("ReduceMean", [found, constant(TensorProto.INT64, [1], [1])], keepdims=0)
    if hasattr(fitted, "classes_"):
        names = [str(name).encode() for name in fitted.classes_]
        (best,) = emit("ArgMax", [mean], axis=1, keepdims=0)
        labels = constant(TensorProto.STRING, [len(names)], names)
        _rename(scope, container, emit("Gather", [labels, best], axis=0)[0], operator.outputs[0])
    _rename(scope, container, mean, operator.outputs[-1])


def _one_hot_targets(fitted: Any) -> Any:
    """Return one row per training row: its class as 0/1, or its value."""
    known = np.asarray(fitted._y)
    if not hasattr(fitted, "classes_"):
        return known.reshape(len(known), -1).astype(np.float32)
    return np.eye(len(fitted.classes_), dtype=np.float32)[known]


def _rename(scope: Any, container: Any, made: str, output: Any) -> None:
    container.add_node(
        "Identity", made, output.full_name, name=scope.get_unique_operator_name("Identity")
    )


def _as_double(scope: Any, inputs: Any, container: Any) -> str:
    from onnx import TensorProto

    names = [given.full_name for given in inputs]
    joined = names[0]
    if len(names) > 1:
        joined = str(scope.get_unique_variable_name("columns"))
        container.add_node(
            "Concat", names, joined, axis=1, name=scope.get_unique_operator_name("Concat")
        )
    wide = str(scope.get_unique_variable_name("wide"))
    container.add_node(
        "Cast", joined, wide, to=TensorProto.DOUBLE, name=scope.get_unique_operator_name("Cast")
    )
    return wide


def _constant_op(scope: Any, container: Any, op: str, columns: str, constant: Any) -> str:
    from onnx import TensorProto

    values = [float(value) for value in np.asarray(constant, dtype=np.float64).ravel()]
    name = scope.get_unique_variable_name("constant")
    container.add_initializer(name, TensorProto.DOUBLE, [1, len(values)], values)
    out = str(scope.get_unique_variable_name(op.lower()))
    container.add_node(op, [columns, name], out, name=scope.get_unique_operator_name(op))
    return out
