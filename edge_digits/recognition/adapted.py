"""Adapted models: small files in the user's own folder that add to a shipped model's logits what one person's hand needs.

The file holds no copy of the model. It names the base by its SHA-256, so that it is never laid over another one, and it
holds the difference of the last layer for the ten digits: logits = base logits + features @ weights + bias. All zero
gives the base exactly. How probable "not one digit" is stays what the base says, whatever was learned: a person's few
digits say nothing about scribbles, and learning from them alone would see digits everywhere.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import ModelContractError, ModelDamagedError, ModelNotFoundError, UsageError

FORMAT_VERSION: Final = 1
DIGITS: Final = 10
FORMER: Final = "former"
"""Folder beside the models with what they were before."""
MOST_FORMER: Final = 10
NAME_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class AdaptedHead:
    """What one adaptation adds to its base model.

    weights : float32 (k, 10), bias : float32 (10,): added to the logits of the digits, k features.
    base_model : name or path of the base model. base_sha256 : of its files, by precision.
    metadata : everything the file says about itself (created, samples, figures).
    sha256 : of the adapted file; "" before it is saved.
    """

    name: str
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    base_model: str
    base_sha256: Mapping[str, str]
    metadata: Mapping[str, Any]
    sha256: str = ""

    def apply(self, logits: NDArray[np.float32], features: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
        """logits float32 (n, 11) of the base model and its features (n, k) to the adapted logits (n, 11)."""
        return shift_digits(logits, features @ self.weights + self.bias, temperature)

    def check_base(self, sha256: str) -> None:
        """Raises ModelContractError unless sha256 is that of a file this head was fitted to."""
        if sha256 not in self.base_sha256.values():
            raise ModelContractError(
                f"adapted model '{self.name}' was fitted to another version of '{self.base_model}'; "
                f"run `edge-digits adapt --samples DIR --name {self.name}` again, or remove it"
            )


def shift_digits(logits: NDArray[np.float32], difference: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Add to the digits' logits and take from all ten what keeps the probability of "not one digit" as it was.

    logits : float32 (n, 11). difference : float32 (n, 10). temperature : the model's own, > 0. Returns float32 (n, 11).
    """
    before = logits[:, :DIGITS] / temperature
    after = before + difference / temperature
    digits = temperature * (after + (_log_sum_exp(before) - _log_sum_exp(after)))
    return np.concatenate([digits, logits[:, DIGITS:]], axis=1).astype(np.float32)


def _log_sum_exp(values: NDArray[np.float32]) -> NDArray[np.float32]:
    largest = values.max(axis=1, keepdims=True, initial=-np.inf)
    return np.asarray(largest + np.log(np.exp(values - largest).sum(axis=1, keepdims=True)), np.float32)


def data_folder() -> Path:
    """The user's own folder: $EDGE_DIGITS_HOME, else $XDG_DATA_HOME/edge-digits, else ~/.local/share/edge-digits."""
    own = os.environ.get("EDGE_DIGITS_HOME")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path.home() / ".local" / "share") / "edge-digits"


def check_name(name: str) -> None:
    """Raises UsageError for a name that cannot be a file's in every file system."""
    if not NAME_PATTERN.fullmatch(name):
        raise UsageError(f"name is '{name}'; use letters, digits, '-' and '_', at most 64, beginning with a letter or digit")


def adapted_path(name: str) -> Path:
    """Where the adapted model of that name lies. Raises UsageError."""
    check_name(name)
    return data_folder() / "models" / f"{name}.npz"


def adapted_names() -> list[str]:
    """Names of the user's adapted models, sorted."""
    return sorted(p.stem for p in (data_folder() / "models").glob("*.npz") if NAME_PATTERN.fullmatch(p.stem))


def find_adapted(name: str) -> AdaptedHead | None:
    """The adapted model of that name, None when there is none. Raises ModelDamagedError, ModelContractError."""
    if not NAME_PATTERN.fullmatch(name):
        return None
    try:
        data = adapted_path(name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ModelDamagedError(f"{adapted_path(name)}: cannot be read ({error.strerror}); check its permissions") from error
    return _decode(name, data)


def _decode(name: str, data: bytes) -> AdaptedHead:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            metadata: dict[str, Any] = json.loads(str(arrays["metadata"]))
            weights, bias = arrays["weights"].astype(np.float32), arrays["bias"].astype(np.float32)
        version, base = metadata["format"], metadata["base"]
        head = AdaptedHead(name, weights, bias, base["model"], base["sha256"], metadata, hashlib.sha256(data).hexdigest())
    except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ModelDamagedError(f"{adapted_path(name)}: adapted model cannot be read ({error}); remove it and adapt again") from error
    if version != FORMAT_VERSION:
        raise ModelContractError(f"{adapted_path(name)}: format {version}, this edge_digits reads {FORMAT_VERSION}; adapt again")
    if weights.ndim != 2 or weights.shape[1:] != bias.shape or bias.shape != (DIGITS,) or not np.isfinite([*weights, bias]).all():
        raise ModelDamagedError(f"{adapted_path(name)}: weights {weights.shape} and bias {bias.shape} make no head; adapt again")
    return head


def save_adapted(head: AdaptedHead) -> Path:
    """Write the head into the user's folder, whole or not at all; one of the same name is kept for roll_back. Raises UsageError."""
    path = adapted_path(head.name)
    base = {"model": head.base_model, "sha256": dict(head.base_sha256)}
    text = json.dumps({**head.metadata, "format": FORMAT_VERSION, "name": head.name, "base": base})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, weights=head.weights, bias=head.bias, metadata=np.array(text))
    draft = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(buffer.getvalue())
        if path.exists():
            _keep_former(path)
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); set EDGE_DIGITS_HOME to a folder of your own") from error
    return path


def former_versions(name: str) -> list[Path]:
    """Files that a model of that name was before, the oldest first."""
    files = (data_folder() / "models" / FORMER).glob(f"{name}.*.npz")
    numbered = {int(number): path for path in files if (number := path.name[len(name) + 1 : -len(".npz")]).isdecimal()}
    return [numbered[number] for number in sorted(numbered)]


def _keep_former(path: Path) -> None:
    """Copy a file that is about to be replaced; of the copies only the newest are kept."""
    versions = former_versions(path.stem)
    number = int(versions[-1].suffixes[0][1:]) + 1 if versions else 1
    former = path.parent / FORMER / f"{path.stem}.{number}.npz"
    former.parent.mkdir(exist_ok=True)
    draft = former.with_suffix(".part")
    draft.write_bytes(path.read_bytes())
    draft.replace(former)
    for old in versions[: max(0, len(versions) + 1 - MOST_FORMER)]:
        old.unlink(missing_ok=True)


def roll_back(name: str) -> Path:
    """Put the version of a model back that the last adaptation replaced; the one in use is gone then. Returns the model's path.

    Raises ModelNotFoundError where there is no model or no version before, UsageError.
    """
    path, versions = adapted_path(name), former_versions(name)
    if not path.exists():
        raise _unknown(name)
    if not versions:
        raise ModelNotFoundError(f"'{name}' was adapted once, there is nothing before it; `edge-digits adapt --remove {name}` removes it")
    try:
        versions[-1].replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); check its permissions") from error
    return path


def remove_adapted(name: str) -> Path:
    """Delete an adapted model and all it was before; the shipped ones are never touched. Raises ModelNotFoundError, UsageError."""
    path = adapted_path(name)
    try:
        path.unlink()
        for former in former_versions(name):
            former.unlink(missing_ok=True)
    except FileNotFoundError as error:
        raise _unknown(name) from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be removed ({error.strerror}); check its permissions") from error
    return path


def _unknown(name: str) -> ModelNotFoundError:
    return ModelNotFoundError(f"no adapted model '{name}'; there are: {', '.join(adapted_names()) or 'none'}")
