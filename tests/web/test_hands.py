"""Hands over a real connection: collected, corrected, adapted, taken back; and names that are none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_digits import Reader
from edge_digits.web import hands as hands_module
from edge_digits.web.guard import GuardOptions
from tests.personal.writers import mirrored, write_samples
from tests.picture_files import encode
from tests.strokes import draw_digit, draw_page
from tests.web.conftest import Address, serve

pytest.importorskip("starlette", reason='the extra "web" is not installed')
pytest.importorskip("uvicorn", reason='the extra "web" is not installed')
pytest.importorskip("python_multipart", reason='the extra "web" is not installed')


@pytest.fixture(scope="module")
def large(reader: Reader) -> Iterator[Address]:
    yield from serve(reader, GuardOptions())


def ink(digit: int, *, turned: bool = False) -> bytes:
    """A drawing as the page sends it; turned: mirrored, as children write."""
    glyph = np.pad(draw_digit(digit, 120, 10), 20)
    return encode("PNG", mirrored(glyph) if turned else glyph)


def test_a_new_hand_has_nothing_and_is_asked_for_everything(large: Address) -> None:
    state = large("/samples?hand=nobody").value
    assert sum(state["counts"]["train"]) == 0
    assert len(state["prompts"]) == 150
    assert state["prompts"][0] == {"digit": 0, "split": "train"}
    assert large("/adapt?hand=nobody", b"").status in (400, 409)


def test_samples_are_stored_learned_and_taken_back(large: Address, home: Path) -> None:
    for digit in (3, 5):
        assert large(f"/samples?hand=eve&digit={digit}", ink(digit)).status == 201
    answer = large("/samples?hand=eve&digit=4&split=test", ink(4))
    assert answer.value["counts"]["test"][4] == 1
    folder = home / "samples" / "eve"
    assert len(list(folder.rglob("*.png"))) == 3
    assert [hand["name"] for hand in large("/hands").value["hands"] if not hand["saved"]] == ["eve"]
    assert large("/tile?model=eve", ink(3)).value["digit"] == 3
    for left in (2, 1, 0):
        assert large("/samples?hand=eve", method="DELETE").status == 200
        assert len(list(folder.rglob("*.png"))) == left
    assert large("/samples?hand=eve", method="DELETE").status == 400


def test_a_correction_is_learned_at_once_and_by_this_hand_alone(large: Address, home: Path) -> None:
    page = draw_page(["52"], width=400, height=200)
    for _ in range(6):
        answer = large("/corrections?hand=kit&digit=7&read=2&box=20,20,124,74", ink(7, turned=True))
        assert answer.status == 201
    assert answer.value["after"] == 7
    assert len(list((home / "samples" / "kit" / "train" / "7").glob("*.png"))) == 6
    assert (
        large("/tile?model=kit", ink(7, turned=True)).value["probabilities"][7]
        > large("/tile", ink(7, turned=True)).value["probabilities"][7]
    )
    assert large("/read?model=kit", encode("PNG", page)).value["lines"][0]["text"] == "52"


def test_adapting_writes_the_model_that_the_terminal_reads_with(large: Address, home: Path) -> None:
    write_samples(home / "samples" / "lin", 4, {7: mirrored})
    adapted = large("/adapt?hand=lin", b"").value
    assert adapted["figures"]["own_errors_after"] < adapted["figures"]["own_errors_before"]
    assert (home / "models" / "lin.npz").is_file()
    assert Reader(model="lin", threads=1).classifier.name == "lin"
    assert large("/read?model=lin", encode("PNG", draw_page(["52"], width=400, height=200))).value["model"]["name"] == "lin"
    first = (home / "models" / "lin.npz").read_bytes()
    assert large("/adapt?hand=lin", b"").status == 200
    assert [hand["former"] for hand in large("/hands").value["hands"] if hand["name"] == "lin"] == [1]
    back = large("/rollback?hand=lin", b"").value
    assert [hand["former"] for hand in back["hands"] if hand["name"] == "lin"] == [0]
    assert (home / "models" / "lin.npz").read_bytes() == first
    nothing = large("/rollback?hand=lin", b"")
    assert (nothing.status, nothing.error) == (404, "ModelNotFoundError")
    assert large("/read?model=lin", encode("PNG", draw_page(["52"], width=400, height=200))).status == 200
    assert large("/hands?hand=lin", method="DELETE").status == 200
    assert large("/tile?model=lin", ink(3)).status == 404
    assert large("/rollback?hand=lin", b"").status == 404


def test_what_was_stored_before_adapting_can_be_taken_back_after_it(large: Address, home: Path) -> None:
    write_samples(home / "samples" / "pat", 4, {7: mirrored})
    assert large("/samples?hand=pat&digit=3", ink(3)).status == 201
    assert large("/adapt?hand=pat", b"").status == 200
    assert large("/samples?hand=pat&digit=5", ink(5)).status == 201
    for left in (41, 40):
        assert sum(large("/samples?hand=pat", method="DELETE").value["counts"]["train"]) == left
    assert large("/samples?hand=pat", method="DELETE").status == 400
    assert large("/hands?hand=pat", method="DELETE").status == 200


@pytest.mark.parametrize("hand", ["..", "a%2Fb", "%2e%2e%2fme", "", "a" * 65, "default", "digits", "me%00"])
def test_names_that_are_none_reach_no_folder(large: Address, home: Path, hand: str) -> None:
    before = sorted(home.rglob("*"))
    for answer in (large(f"/samples?hand={hand}"), large(f"/samples?hand={hand}&digit=1", ink(1)), large(f"/adapt?hand={hand}", b"")):
        assert (answer.status, answer.error) == (400, "UsageError")
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("hand=eve", 400),
        ("hand=eve&digit=12", 400),
        ("hand=eve&digit=%D9%A3", 400),
        ("hand=eve&digit=3&split=both", 400),
    ],
)
def test_wrong_arguments_store_nothing(large: Address, home: Path, query: str, status: int) -> None:
    assert large(f"/samples?{query}", ink(3)).status == status
    assert list((home / "samples" / "eve").rglob("*.png")) == []


def test_a_crop_without_ink_or_with_a_box_outside_is_refused(large: Address) -> None:
    empty = encode("PNG", np.full((60, 60), 240, np.uint8))
    assert large("/corrections?hand=eve&digit=3&box=10,10,40,40", empty).status == 415
    assert large("/corrections?hand=eve&digit=3&box=900,900,40,40", ink(3)).status == 415
    assert large("/corrections?hand=eve&digit=3&box=1,2,3", ink(3)).status == 400


def test_a_hand_is_not_filled_without_end(large: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hands_module, "MOST_SAMPLES", 0)
    assert large("/samples?hand=eve&digit=3", ink(3)).status == 400
    assert "which is the most" not in large("/adapt?hand=eve", b"").value["error"]["message"]
    monkeypatch.undo()
    monkeypatch.setattr(hands_module, "MOST_HANDS", 0)
    assert large("/samples?hand=newcomer&digit=3", ink(3)).status == 400
