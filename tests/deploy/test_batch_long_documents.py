"""The documents that are measured are what they are said to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.batch_long_documents import SIZE_PX, own_peak_mb, write_pdf, write_tiff
from edge_digits.options import SourceOptions
from edge_digits.sources.images import open_frames

for needed in ("reportlab", "PIL", "pypdfium2"):
    pytest.importorskip(needed)


@pytest.mark.parametrize(("suffix", "write"), [("pdf", write_pdf), ("tif", write_tiff)])
def test_pages_differ_and_have_one_size(tmp_path: Path, suffix: str, write: object) -> None:
    path = tmp_path / f"3.{suffix}"
    assert callable(write)
    write(path, 3)
    frames = list(open_frames(path, SourceOptions(dpi=300)))
    assert [frame.page for frame in frames] == [1, 2, 3]
    assert len({frame.picture.tobytes() for frame in frames}) == 3
    # A PDF page is rounded up to whole pixels.
    assert all(0 <= frame.width - SIZE_PX[0] <= 1 and 0 <= frame.height - SIZE_PX[1] <= 1 for frame in frames)


def test_own_memory_is_that_of_a_program_with_arrays() -> None:
    assert 20 < own_peak_mb() < 100_000
