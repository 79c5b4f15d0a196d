"""Every error that edge_digits raises on purpose, and the exit code of each.

    EdgeDigitsError                      1
    |-- InputError                       1  one input cannot be read; the others still are
    |   |-- InputNotFoundError           (also FileNotFoundError)
    |   |-- InputIsFolderError           (also IsADirectoryError)
    |   |-- InputPermissionError         (also PermissionError)
    |   |-- InputDecodeError             (also ValueError)  empty, truncated, no picture
    |   |-- FormNotFoundError            (also ValueError)  the form of the template is not on the picture
    |   |-- InputTooLargeError           (also ValueError)  over the pixel limit
    |   `-- InputNeedsExtraError         (also ImportError)  a kind of file that an extra reads
    |-- UsageError                       2  (also ValueError)  an option or argument is wrong
    |   `-- MissingExtraError            (also ImportError)  a command whose extra is not installed
    |-- ModelError                       3
    |   |-- ModelNotFoundError           (also FileNotFoundError)
    |   |-- ModelDamagedError            (also ValueError)  checksum, parse or self-test failed
    |   `-- ModelContractError           (also ValueError)  a sound file of another contract
    |-- AdaptationRefusedError           1  the adapted model would be worse; nothing was written
    |-- CameraError                      4  (also OSError)
    `-- ProviderError                    5  (also RuntimeError)  asked-for provider not obtained

A message says what is wrong, which value, and what to do, in one line.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of the command line; a contract with scripts."""

    OK = 0
    SOME_INPUTS_FAILED = 1
    USAGE = 2
    MODEL = 3
    CAMERA = 4
    PROVIDER = 5
    INTERRUPTED = 130


class EdgeDigitsError(Exception):
    """Root of all errors raised on purpose."""

    exit_code: ClassVar[ExitCode] = ExitCode.SOME_INPUTS_FAILED

    def __str__(self) -> str:
        # OSError and ImportError format their arguments in ways of their own; the message is the first one.
        return str(self.args[0]) if self.args else type(self).__name__


class InputError(EdgeDigitsError):
    """One input cannot be read."""


class InputNotFoundError(InputError, FileNotFoundError):
    """The named file does not exist."""


class InputIsFolderError(InputError, IsADirectoryError):
    """A folder was given where a file is meant."""


class InputPermissionError(InputError, PermissionError):
    """The file may not be read by this user."""


class InputDecodeError(InputError, ValueError):
    """The bytes hold no picture that can be decoded."""


class FormNotFoundError(InputError, ValueError):
    """The form of the template is not found on the picture."""


class InputTooLargeError(InputError, ValueError):
    """The picture has more pixels than the limit allows."""


class InputNeedsExtraError(InputError, ImportError):
    """This kind of file is read by an optional extra that is not installed."""


class UsageError(EdgeDigitsError, ValueError):
    """An option or argument has a value that cannot be used."""

    exit_code = ExitCode.USAGE


class MissingExtraError(UsageError, ImportError):
    """The command needs an optional extra that is not installed."""


class ModelError(EdgeDigitsError):
    """The model cannot be used."""

    exit_code = ExitCode.MODEL


class ModelNotFoundError(ModelError, FileNotFoundError):
    """No model of that name or path."""


class ModelDamagedError(ModelError, ValueError):
    """The model file is not what its manifest says, or computes nonsense."""


class ModelContractError(ModelError, ValueError):
    """The model is sound but not made for this version of edge_digits."""


class AdaptationRefusedError(EdgeDigitsError):
    """The adapted model would be worse than the shipped one; nothing was written."""


class CameraError(EdgeDigitsError, OSError):
    """The camera or stream cannot be used."""

    exit_code = ExitCode.CAMERA


class ProviderError(EdgeDigitsError, RuntimeError):
    """The asked-for execution provider was not obtained."""

    exit_code = ExitCode.PROVIDER


def missing_library(error: ImportError) -> ImportError:
    """The error to raise for a library that cannot be imported: one line with what to do; our own modules stay as they are."""
    if isinstance(error, EdgeDigitsError) or (error.name or "").startswith("edge_digits"):
        return error
    reason = (str(error).strip().splitlines() or ["import failed"])[0]
    name = error.name or "a library"
    return MissingExtraError(
        f'{name} cannot be imported ({reason}); run: pip install "edge-digits[cpu]", or see what is wrong: edge-digits doctor'
    )
