"""A fake `rpicam-vid`: a real executable that writes real JPEG pictures, or fails as the real one does."""

from __future__ import annotations

import sys
from pathlib import Path

PROGRAM = """#!{python}
import io, os, sys, time
arguments = sys.argv[1:]
given = dict(zip(arguments, arguments[1:]))
with open({log!r}, "a") as log:
    log.write(str(os.getpid()) + " " + " ".join(arguments) + "\\n")
behaviour = {behaviour!r}
if behaviour in ("none", "busy"):
    words = "no cameras available" if behaviour == "none" else "Pipeline handler in use by another process"
    sys.stderr.write("ERROR: *** " + words + " ***\\n")
    sys.exit(255)
if behaviour == "odd":
    sys.stderr.write("something odd\\n")
    sys.exit(7)
sys.stderr.write("[0:00:01] INFO Camera libcamera v0.5\\n" * 2000)  # more than a pipe holds
pictures = open({pictures!r}, "rb").read()
size = int(open({size!r}).read())
out = sys.stdout.buffer
most = {most}
for index in range(most if most else 10**9):
    at = index % (len(pictures) // size) * size
    # Each picture has a size of its own, and they are written one after the other without anything between them.
    out.write(pictures[at : at + size].rstrip(b"\\0"))
    out.flush()
    time.sleep({pause_s})
if behaviour == "hang":
    time.sleep(60)
"""


def make_rpicam(folder: Path, pictures: list[bytes], behaviour: str = "", *, most: int = 0, pause_s: float = 0.01) -> Path:
    """Write `rpicam-vid` into folder/bin; put that in front of PATH.

    behaviour : "" plays the pictures over and over, or `most` of them; "hang" says nothing more after `most`, and "none",
    "busy" and "odd" fail at the start. folder/calls gets the process number and the arguments, a line for each start.
    """
    bin_folder = folder / "bin"
    bin_folder.mkdir(parents=True, exist_ok=True)
    size = max(map(len, pictures), default=1)
    (folder / "pictures").write_bytes(b"".join(picture.ljust(size, b"\0") for picture in pictures))
    (folder / "size").write_text(str(size))
    program = bin_folder / "rpicam-vid"
    text = PROGRAM.format(
        python=sys.executable,
        log=str(folder / "calls"),
        behaviour=behaviour,
        pictures=str(folder / "pictures"),
        size=str(folder / "size"),
        most=most,
        pause_s=pause_s,
    )
    program.write_text(text)
    program.chmod(0o755)
    return bin_folder
