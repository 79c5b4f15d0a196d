"""Which characters of the negative sets look like digits and are therefore left out."""

from __future__ import annotations

from typing import Final

LATIN_LOOKALIKES: Final = ("B", "D")
"""b is a 6, D a 0."""

CYRILLIC_LOOKALIKES: Final = tuple("збчувдоьъэіһүұө")
"""3, 6, 4, 4, 8, 9, 0, 6, 6, 3, 1, 4 and so on, in turn."""

OMNIGLOT_LOOKALIKES: Final[tuple[str, ...]] = ()
