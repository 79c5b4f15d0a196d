"""Runs an ONNX model. The only file that imports onnxruntime, so that no other has to know its traps."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import MissingExtraError, ModelDamagedError, ProviderError
from edge_digits.options import Provider

CPU: Final = "CPUExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"

# EXHAUSTIVE, the default, searches anew for every batch size: 634 ms against 1.9 ms (PaddleX pull request 5057).
CUDA_SETTINGS: Final = {"cudnn_conv_algo_search": "HEURISTIC"}

INSTALL_COMMAND: Final = 'pip install "edge-digits[cpu]"'


def load_onnxruntime() -> Any:
    """The onnxruntime module.

    Raises MissingExtraError with the install command when neither the CPU nor the GPU wheel is installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(f"onnxruntime cannot be imported ({error}); run: {INSTALL_COMMAND}") from error
    return onnxruntime


class Engine:
    """One ONNX Runtime session; calls are re-entrant.

    provider : the provider that the session really obtained, e.g. "CPUExecutionProvider".
    metadata : the model file's own key-value pairs.
    inputs, outputs : declared shapes by name; a batch axis is a name, a fixed axis a number.
    """

    def __init__(self, model: bytes, provider: Provider = "cpu", threads: int = 0, name: str = "model") -> None:
        """Open a session.

        model : the bytes of an ONNX file. provider : "auto" falls back to the CPU, "cuda" does not.
        threads : threads within one run; 0 takes one a core, at most 4.
        Raises ProviderError when "cuda" was asked for and not obtained, ModelDamagedError when the bytes do not load.
        """
        ort = load_onnxruntime()
        options = ort.SessionOptions()
        # The default pins threads to cores and fails in containers (onnxruntime issue 8313).
        options.intra_op_num_threads = threads or default_threads()
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        # Spinning threads burn a small machine's cores between two pages (onnxruntime pull request 11841).
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        self._session = _open_session(ort, model, options, provider, name)
        self.provider: str = self._session.get_providers()[0]
        if provider == "cuda" and self.provider != CUDA:
            raise ProviderError(
                f"provider 'cuda' was asked for but the session obtained {self.provider}; install the CUDA libraries and "
                f'pip install "edge-digits[gpu]", or use --provider cpu'
            )
        self.threads: int = options.intra_op_num_threads
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.inputs: dict[str, tuple[Any, ...]] = {i.name: tuple(i.shape) for i in self._session.get_inputs()}
        self.outputs: dict[str, tuple[Any, ...]] = {o.name: tuple(o.shape) for o in self._session.get_outputs()}

    def run(self, output: str, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """One batched run. tiles : float32 (n, 1, 28, 28). Returns the named output, float32 (n, ...)."""
        return self.run_all((output,), tiles)[0]

    def run_all(self, outputs: Sequence[str], tiles: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """One batched run that gives several outputs, float32 (n, ...) each, in the order they are named."""
        results: list[NDArray[np.float32]] = self._session.run(list(outputs), {next(iter(self.inputs)): tiles})
        return results


def cuda_compiled_in() -> bool:
    """Whether the installed onnxruntime knows CUDA at all; that a session obtains it is another matter."""
    return CUDA in load_onnxruntime().get_available_providers()


def _open_session(ort: Any, model: bytes, options: Any, provider: Provider, name: str) -> Any:
    # With the CPU wheel, naming CUDA only gives a warning and a CPU session: ask for it only where it was compiled in,
    # and let the caller read back what was obtained.
    refused = None
    if provider != "cpu" and cuda_compiled_in():
        try:
            return _open_on_cuda(ort, model, options)
        except Exception as error:  # noqa: BLE001 - onnxruntime raises a dozen types of its own, none with a common public base
            refused = error
    try:
        session = ort.InferenceSession(model, sess_options=options, providers=[CPU])
    except Exception as error:
        raise ModelDamagedError(f"{name}: onnxruntime cannot load it ({_first_line(error)}); reinstall the model") from error
    if provider == "cuda" and refused is not None:
        # The file is sound, so it was CUDA that failed.
        raise ProviderError(f"provider 'cuda' was asked for but gave no session ({_first_line(refused)}); use --provider cpu") from refused
    return session


def _open_on_cuda(ort: Any, model: bytes, options: Any) -> Any:
    # Where CUDA's libraries are missing, onnxruntime prints to stdout, which carries data only.
    with contextlib.redirect_stdout(sys.stderr):
        if hasattr(ort, "preload_dlls"):
            ort.preload_dlls()
        return ort.InferenceSession(model, sess_options=options, providers=[(CUDA, CUDA_SETTINGS), CPU])


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def default_threads() -> int:
    """One thread a core this process may use, at most 4: tiles are small and more threads only wait for each other."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, cores))


def installed_runtimes() -> dict[str, str]:
    """Installed onnxruntime distributions and their versions; two at once leave only the CPU provider."""
    found = {}
    for distribution in ("onnxruntime", "onnxruntime-gpu"):
        try:
            found[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
