"""The names of the reproductions and of the further commands, and the modules that hold them."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from edge_digits.errors import UsageError
from export.reproduce.recipe import Recipe

_RECIPES: Final = "export.reproduce.recipes"

MODULES: Final[dict[str, str]] = {
    "lenet5-transfer": f"{_RECIPES}.lenet5_transfer",
    "kaggle-cnn": f"{_RECIPES}.kaggle_cnn",
    "vgg16-frozen": f"{_RECIPES}.vgg16_frozen",
    "mlp": f"{_RECIPES}.mlp",
    "tongji-kfold": f"{_RECIPES}.tongji_kfold",
    "browser-mlp": f"{_RECIPES}.browser_mlp",
    "browser-cnn": f"{_RECIPES}.browser_cnn",
}
"""Name -> module with `RECIPE`; the order is that of the list and of the table."""

COMMANDS: Final[dict[str, str]] = {"compare": "export.reproduce.compare", "table": "export.reproduce.table"}
"""What else may stand in the place of a name -> module with `main(arguments) -> ExitCode`."""


def find_recipe(name: str) -> Recipe:
    """The recipe of a name. Raises UsageError for an unknown one."""
    if name not in MODULES:
        raise UsageError(f"name is '{name}'; choose list, {', '.join((*COMMANDS, *MODULES))}")
    recipe: Recipe = import_module(MODULES[name]).RECIPE
    return recipe
