"""What a worker reads forms with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_digits.batch.worker import FilePages
from edge_digits.forms.form_reader import FormReader
from edge_digits.forms.template_file import load_template
from edge_digits.options import Options


class FormPages(FilePages):
    """The PageReader of a batch of one template's sheets. `partial(FormPages, path)` is its ReaderFactory."""

    def __init__(self, template: str, options: Options) -> None:
        """Load the template and the model. Raises as load_template and Reader do."""
        recognition = replace(options.recognition, threads=options.recognition.threads or 1)
        path = Path(template)
        self._reader = FormReader(load_template(path), replace(options, recognition=recognition))
        self._template = hashlib.sha256(path.read_bytes()).hexdigest()

    @property
    def model(self) -> Mapping[str, Any]:
        """As of any batch, and the template: with another one a sheet says something else."""
        return {**super().model, "template": self._template}
