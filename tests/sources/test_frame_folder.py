"""A folder of frames as a recording."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.errors import CameraError
from edge_digits.sources.address import CameraOptions
from edge_digits.sources.camera import Camera
from tests.doubles.cameras import collect


def make_frames(folder: Path, names: list[str]) -> None:
    for index, name in enumerate(names):
        assert cv2.imwrite(str(folder / name), np.full((48, 64, 3), 20 * index, np.uint8))


def test_pictures_are_given_whole_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    make_frames(tmp_path, ["f1.png", "f2.png", "f9.bmp", "f10.png", "f11.jpg"])
    (tmp_path / "notes.txt").write_text("no picture")
    told: list[str] = []
    with Camera(str(tmp_path), CameraOptions(fps=10), report=told.append) as camera:
        frames = collect(camera)
        assert camera.is_recording
        assert camera.announced_frames == 5
    assert [round(float(frame.frame.picture.mean()) / 20) for frame in frames] == [0, 1, 2, 3, 4]
    assert [round(frame.time_s, 3) for frame in frames] == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert [frame.number for frame in frames] == [1, 2, 3, 4, 5]
    assert told == [f"{tmp_path}: 64x48 unknown format, 10 frames/s"]


def test_a_damaged_picture_is_told_and_the_others_are_given(tmp_path: Path) -> None:
    make_frames(tmp_path, ["1.png", "2.png", "3.png"])
    (tmp_path / "1.png").write_bytes(b"no picture")
    (tmp_path / "4.png").write_bytes((tmp_path / "3.png").read_bytes()[:60])
    told: list[str] = []
    with Camera(str(tmp_path), report=told.append) as camera:
        assert len(collect(camera)) == 2
    assert [line.split(":")[0] for line in told[1:]] == [str(tmp_path / "1.png"), str(tmp_path / "4.png")]


def test_a_folder_of_damaged_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"no picture")
    with Camera(str(tmp_path), report=lambda _: None) as camera, pytest.raises(CameraError, match="no picture in it can be decoded"):
        collect(camera)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with Camera(str(tmp_path)) as camera, pytest.raises(CameraError, match="no pictures in this folder; put frames into it"):
        collect(camera)
