#!/usr/bin/env bash
# Does the built wheel install and read on 64-bit Arm as it does on x86-64? Checked without a board.
#
#     deploy/check-arm64.sh [--work DIR] [--out DIR] [PICTURE...]
#
# Inside a Debian root for arm64, on an emulated Cortex-A72 (the processor of a Raspberry Pi 4): the wheel of this tree and all that
# it needs, installed from wheels alone; `doctor` and `info`; README's first command as it stands there; pi/install.sh and its
# --uninstall; then the sample page and each PICTURE read with that wheel, there and here, and compared. What was said goes to OUT/arm64.txt, the comparison to
# OUT/readings-arm64.json (OUT: deploy/results). Exit code 1 when anything differs or fails, 2 when the check cannot be run.
#
# Needs on Debian: apt-get install debootstrap qemu-user-static proot (debootstrap wants root), and Python 3.11 or newer with venv.
# Everything is kept in DIR (build/arm64) for the next run. Emulation is slow, half an hour in all, and tells nothing about speed.
set -euo pipefail
exec </dev/null
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite=bookworm # the Debian under Raspberry Pi OS
processor=cortex-a72
python_version=3.11
crashed='died of SIG|no answer within' # how `doctor` tells of a process that it started
step_limit_s=3600
packages=python3,python3-venv,python3-pip,libstdc++6

work=$tree/build/arm64
out=$tree/deploy/results
pictures=()
while [ $# -gt 0 ]; do
    case $1 in
    --work) work=${2:?--work needs a folder} && shift 2 ;;
    --out) out=${2:?--out needs a folder} && shift 2 ;;
    -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d' && exit 0 ;;
    -*) echo "check-arm64: unknown option $1; see --help" >&2 && exit 2 ;;
    *) pictures+=("$1") && shift ;;
    esac
done

cannot() { echo "check-arm64: $*" >&2 && exit 2; }
for tool in debootstrap qemu-aarch64-static proot dpkg-deb; do
    command -v "$tool" >/dev/null || cannot "$tool not found; on Debian: apt-get install debootstrap qemu-user-static proot"
done
for picture in "${pictures[@]}"; do [ -f "$picture" ] || cannot "$picture: no such picture"; done
mkdir -p "$work" "$out"
work=$(cd "$work" && pwd)
out=$(cd "$out" && pwd)
root=$work/debian
home=$work/home # /home/pi inside

step() { printf '\n== %s\n' "$*"; }

prepare_root() { # a Debian root: packages fetched and unpacked, nothing of it run
    [ ! -e "$root/unpacked" ] || return 0
    [ "$(id -u)" = 0 ] || cannot "debootstrap needs root; run this with sudo"
    echo "fetching a Debian $suite root for arm64 ..." >&2
    rm -rf "$root"
    debootstrap --foreign --arch=arm64 --variant=minbase "--include=$packages" "$suite" "$root" >"$work/debootstrap.log"
    for package in "$root"/var/cache/apt/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
    cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
    cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
    touch "$root/unpacked"
}

prepare_processor() { # what the kernel of a Raspberry Pi 4 says of its processor; from the host's lines onnxruntime's cpuinfo crashes
    for core in 0 1; do
        printf 'processor\t: %s\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\n' "$core"
        printf 'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n'
    done >"$work/cpuinfo"
}

prepare_home() { # the tracked files, the wheel made of them, and the wheels that it needs on arm64 and here
    rm -rf "$home" "$work/x86_64"
    mkdir -p "$home/edge_digits" "$home/pictures"
    git -C "$tree" ls-files -z --cached --others --exclude-standard --deduplicate |
        (cd "$tree" && while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done) |
        tar -C "$tree" --null -T - -cf - | tar -C "$home/edge_digits" -xf -
    cp "$tree/edge_digits/bench/sample_page.jpg" "$home/pictures"
    [ ${#pictures[@]} = 0 ] || cp "${pictures[@]}" "$home/pictures"
    # Built from a copy: setuptools leaves a build folder in the tree, and takes what an older one holds.
    cp -a "$home/edge_digits" "$work/build-tree"
    python3 -m pip wheel -q --no-deps --wheel-dir "$home/wheels" "$work/build-tree"
    rm -rf "$work/build-tree"
    wheel=$(basename "$home"/wheels/edge_digits-*.whl)
    local platforms=(--platform manylinux2014_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64)
    python3 -m pip download -q --only-binary=:all: --implementation cp --python-version "$python_version" "${platforms[@]}" \
        -c "$tree/constraints.txt" -d "$home/wheels" "edge-digits[headless] @ file://$home/wheels/$wheel" "setuptools>=77"
    python3 -m venv "$work/x86_64"
    "$work/x86_64/bin/python" -m pip install -q -c "$tree/constraints.txt" "edge-digits[headless] @ file://$home/wheels/$wheel"
}

# Runs a command on the emulated processor. pip there knows no index, only the folder of wheels. It gets one core, so that nobody
# starts a second thread: with several, the emulator was seen to hang or crash, at another place each time. SIGQUIT is what proot ends on.
arm64() {
    env -i HOME=/home/pi PATH=/usr/bin:/bin LANG=C.UTF-8 PIP_NO_INDEX=1 PIP_FIND_LINKS=/home/pi/wheels PIP_ONLY_BINARY=:all: \
        PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 OPENCV_FOR_THREADS_NUM=1 \
        timeout --foreground --signal=QUIT --kill-after=30 "$step_limit_s" taskset -c 0 \
        proot -0 -q "qemu-aarch64-static -cpu $processor" -r "$root" -b /proc -b /sys -b /dev -b "$work/cpuinfo:/proc/cpuinfo" \
        -b "$home:/home/pi" -w /home/pi "$@"
}

# The same, once more where the emulator crashed or hung, three times at most: an exit code above 128, that of `timeout`, or a process
# started inside of which `doctor` tells. Only for what may be run again; what fails by itself is not tried again.
steadily() {
    local try code
    for try in 1 2 3; do
        code=0
        arm64 "$@" >"$work/said.txt" 2>&1 || code=$?
        cat "$work/said.txt"
        [ "$code" -ne 0 ] || return 0
        [ "$code" -gt 128 ] || [ "$code" = 124 ] || grep -qE "$crashed" "$work/said.txt" || return "$code"
        [ "$try" = 3 ] || echo "-- the emulator crashed (exit code $code); once more"
    done
    return "$code"
}

readme_command() { # the one line of the code block after <!-- read-command --> in README.md
    awk '$0 == "<!-- read-command -->" { seen = 1; next } seen && /^```/ { if (++fences == 2) exit; next } seen && fences' "$tree/README.md"
}

check() {
    step "the emulated machine"
    qemu-aarch64-static --version | sed 1q
    arm64 /bin/sed -n 's/^PRETTY_NAME=//p' /etc/os-release
    arm64 /bin/uname -m
    arm64 /usr/bin/python3 --version

    step "the wheel and what it needs, from wheels alone"
    steadily /bin/sh -c "python3 -m venv wheel && wheel/bin/python -m pip install -q 'edge-digits[headless] @ file:///home/pi/wheels/$wheel'"
    steadily wheel/bin/python -m pip list
    steadily wheel/bin/python -c 'import edge_digits; print(edge_digits.__file__)'

    step "edge-digits doctor"
    steadily wheel/bin/edge-digits doctor

    step "edge-digits info"
    steadily wheel/bin/edge-digits info

    step "README's first command"
    readme_command
    steadily /bin/sh -euc "cd edge_digits && $(readme_command)" | tee "$work/sample.txt"
    grep -q '^[0-9]' "$work/sample.txt"

    step "deploy/pi/install.sh, twice, and --uninstall"
    steadily /bin/bash edge_digits/deploy/pi/install.sh
    steadily /bin/bash edge_digits/deploy/pi/install.sh | grep -v '^ok\|->'
    steadily /usr/bin/id edge-digits
    # Not `ls`: under this emulator it does not see files that were just made.
    # shellcheck disable=SC2016
    steadily /bin/sh -euc 'for file in "$@"; do test -s "$file"; echo "$file"; done' sh \
        /etc/systemd/system/edge-digits.service /etc/edge-digits/edge-digits.toml /usr/local/bin/edge-digits
    steadily /usr/local/bin/edge-digits --config /etc/edge-digits/edge-digits.toml read pictures/sample_page.jpg
    steadily /bin/bash edge_digits/deploy/pi/install.sh --uninstall --purge

    step "readings with the wheel, there and here"
    local names=()
    for picture in "$home"/pictures/*; do names+=("pictures/$(basename "$picture")"); done
    rm -f "$home"/*.json
    steadily wheel/bin/python edge_digits/deploy/page_readings.py arm64.json "${names[@]}"
    (cd "$home" && "$work/x86_64/bin/python" edge_digits/deploy/page_readings.py x86_64.json "${names[@]}")
    "$work/x86_64/bin/python" "$tree/deploy/compare_readings.py" "$home/x86_64.json" "$home/arm64.json" --processor "$processor" \
        --emulator "$(qemu-aarch64-static --version | sed 1q)" --out "$out/readings-arm64.json"
}

prepare_root
prepare_processor
prepare_home
# Not `check || status=1`: bash does not stop at errors inside a command whose status is asked for.
set +e
(
    set -e
    check
) 2>&1 | tee "$out/arm64.txt"
[ "${PIPESTATUS[0]}" = 0 ] || exit 1
