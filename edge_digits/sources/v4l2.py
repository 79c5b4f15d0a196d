"""What Linux tells of its camera devices: who they are, what they offer, who may use them and who does.

OpenCV answers every failure with the same "not opened", and shows neither names nor formats. The kernel's own calls
(Video for Linux API, version 2: VIDIOC_QUERYCAP, VIDIOC_ENUM_FMT, VIDIOC_ENUM_FRAMESIZES) and /proc tell the rest.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEVICES: Final = Path("/dev")
LINKS: Final = (Path("/dev/v4l/by-path"), Path("/dev/v4l/by-id"))
"""Names that udev keeps for a socket and for a camera. The socket's comes first: two cameras may share the other."""
PROCESSES: Final = Path("/proc")

QUERYCAP: Final = 0x80685600  # _IOR('V', 0, struct v4l2_capability)
CAPABILITY: Final = struct.Struct("16s32s32sIII12x")
ENUM_FMT: Final = 0xC0405602  # _IOWR('V', 2, struct v4l2_fmtdesc)
FORMAT: Final = struct.Struct("III32s4sI12x")
ENUM_FRAMESIZES: Final = 0xC02C564A  # _IOWR('V', 74, struct v4l2_frmsizeenum)
FRAME_SIZE: Final = struct.Struct("I4sI6I8x")
VIDEO_CAPTURE: Final = 0x00000001  # V4L2_CAP_VIDEO_CAPTURE, and V4L2_BUF_TYPE_VIDEO_CAPTURE
DEVICE_CAPS: Final = 0x80000000  # V4L2_CAP_DEVICE_CAPS: the third field holds what this very node can do
DISCRETE: Final = 1  # V4L2_FRMSIZE_TYPE_DISCRETE; otherwise fields 0 to 5 are smallest, largest and step of width and height
MOST_ENTRIES: Final = 256
"""Formats or sizes asked for at most; a driver that never says stop must not hold us."""

PI_DRIVERS: Final = ("unicam", "rp1-cfe", "bcm2835-isp", "bcm2835-codec", "pispbe", "rpi-hevc-dec", "rpivid")
"""Nodes of a Raspberry Pi's camera port and of its codecs: they give no pictures without libcamera."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device node that captures video.

    formats : offered, by their four letters, each with its largest size in pixels (0, 0 where the driver does not say).
    """

    path: Path
    driver: str
    card: str
    bus: str
    formats: tuple[tuple[str, tuple[int, int]], ...] = ()

    @property
    def index(self) -> int | None:
        """The number that OpenCV takes, None for a node of another name."""
        number = re.fullmatch(r"video([0-9]{1,4})", self.path.name)
        return int(number[1]) if number else None

    @property
    def is_pi_port(self) -> bool:
        """Whether it is a raw node of a Raspberry Pi's camera port."""
        return self.driver in PI_DRIVERS


def query_device(path: Path) -> Device | None:
    """What the driver tells of a node; None for one that captures no video, as half of a webcam's nodes do.

    Raises OSError: EACCES without permission, ENODEV or ENXIO for a camera that has gone, ENOTTY for another kind of device.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        driver, card, bus, _, all_can, node_can = CAPABILITY.unpack(_ask(descriptor, QUERYCAP, bytes(CAPABILITY.size)))
        if not (node_can if all_can & DEVICE_CAPS else all_can) & VIDEO_CAPTURE:
            return None
        return Device(path, _text(driver), _text(card), _text(bus), tuple(_formats(descriptor)))
    finally:
        os.close(descriptor)


def device_paths() -> list[Path]:
    """Camera nodes of this machine, in the order of their numbers."""
    numbered = [(re.fullmatch(r"video([0-9]+)", path.name), path) for path in DEVICES.glob("video*")]
    return [path for number, path in sorted(((int(m[1]), path) for m, path in numbered if m), key=lambda pair: pair[0])]


def lasting_name(path: Path) -> Path:
    """The link by which udev names the same camera after it was pulled and put in again, when its number may be another.

    The path itself where there is none.
    """
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return path
    for folder in LINKS:
        for link in sorted(folder.glob("*")) if folder.is_dir() else ():
            if link.resolve() == real:
                return link
    return path


def users_of(path: Path) -> list[str]:
    """Other programs that hold a device open, as "name (process 123)"; those of other users are seen by root only."""
    try:
        wanted = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return []
    others = (process for process in PROCESSES.glob("[0-9]*") if process.name != str(os.getpid()))
    return [f"{_program(process)} (process {process.name})" for process in others if _holds(process, wanted)]


def permission_advice(path: Path) -> str:
    """What to do to be let at a device: the group it belongs to, told apart by whether the user is in that group already."""
    import grp  # not on Windows
    import pwd

    status = path.stat()
    try:
        group = grp.getgrgid(status.st_gid)
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container that does not know the numbers
        return f"it belongs to group {status.st_gid}; start the container with --group-add {status.st_gid}"
    if not status.st_mode & stat.S_IRGRP or not status.st_mode & stat.S_IWGRP or group.gr_gid == 0:
        return f"it is not open to a group; run `sudo chgrp video {path} && sudo chmod g+rw {path}`, or mend its udev rule"
    if user in group.gr_mem and status.st_gid not in os.getgroups():
        return f"you were added to group '{group.gr_name}' after you logged in: log out and in again"
    return f"run `sudo usermod -aG {group.gr_name} {user}` and log in again"


def _ask(descriptor: int, request: int, argument: bytes) -> bytes:
    import fcntl  # not on Windows

    return fcntl.ioctl(descriptor, request, argument)


def _formats(descriptor: int) -> list[tuple[str, tuple[int, int]]]:
    found = []
    for index in range(MOST_ENTRIES):
        try:
            answer = _ask(descriptor, ENUM_FMT, FORMAT.pack(index, VIDEO_CAPTURE, 0, b"", b"", 0))
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTTY):
                raise
            break
        letters = FORMAT.unpack(answer)[4]
        found.append((letters.decode("ascii", "replace").strip("\0 "), _largest(descriptor, letters)))
    return found


def _largest(descriptor: int, letters: bytes) -> tuple[int, int]:
    largest = (0, 0)
    for index in range(MOST_ENTRIES):
        try:
            answer = _ask(descriptor, ENUM_FRAMESIZES, FRAME_SIZE.pack(index, letters, 0, *[0] * 6))
        except OSError:
            break
        _, _, kind, *numbers = FRAME_SIZE.unpack(answer)
        size = (numbers[0], numbers[1]) if kind == DISCRETE else (numbers[1], numbers[4])
        largest = max(largest, size, key=lambda s: s[0] * s[1])
        if kind != DISCRETE:
            break
    return largest


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace").strip()


def _holds(process: Path, wanted: Path) -> bool:
    try:
        return any(entry.readlink() == wanted for entry in (process / "fd").iterdir())
    except OSError:  # ended meanwhile, or another user's
        return False


def _program(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "a program"
