#!/usr/bin/env bash
# Installs edge_digits on 64-bit Raspberry Pi OS (or another 64-bit Debian) from this clone, with a service that watches the camera.
#
#     sudo deploy/pi/install.sh               installs, or brings an installation up to date; settings are left as they are
#     sudo deploy/pi/install.sh --no-service  the program alone
#     sudo deploy/pi/install.sh --uninstall   removes everything but settings and kept pages; --purge removes these too
#
# Puts there: /opt/edge-digits (a virtual environment of its own), /usr/local/bin/edge-digits, /etc/edge-digits/edge-digits.toml,
# /var/lib/edge-digits (pages, when settings ask for them), a udev rule, the user `edge-digits` in the group `video`, and the unit
# edge-digits.service. Running it again changes nothing that is right already. While it runs nothing is written to the card unless
# the settings ask for it, so that the root may be made read-only afterwards (raspi-config, Performance, Overlay File System).
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin # useradd and its like; `su` leaves them out
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)

home=/opt/edge-digits
settings=/etc/edge-digits/edge-digits.toml
state=/var/lib/edge-digits
program=/usr/local/bin/edge-digits
unit=/etc/systemd/system/edge-digits.service
rules=/etc/udev/rules.d/60-edge-digits.rules
account=edge-digits

say() { echo "edge-digits: $*"; }
fail() { echo "edge-digits: $*" >&2 && exit 1; }

service=yes
action=install
for word in "$@"; do
    case $word in
    --no-service) service=no ;;
    --uninstall) [ "$action" = purge ] || action=uninstall ;;
    --purge) action=purge ;;
    -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d' && exit 0 ;;
    *) echo "edge-digits: unknown option $word; see --help" >&2 && exit 2 ;;
    esac
done

systemd_runs() { [ -d /run/systemd/system ]; }

check_system() {
    [ "$(id -u)" = 0 ] || fail "needs root; run: sudo $0"
    [ "$(getconf LONG_BIT)" = 64 ] || fail "this system is 32 bit, and onnxruntime has no 32-bit wheels; install the 64-bit Raspberry Pi OS"
    case $(uname -m) in
    aarch64 | x86_64) ;;
    *) fail "$(uname -m) is not supported; needs a 64-bit Raspberry Pi (3, 4, 5, Zero 2 W) or PC" ;;
    esac
    command -v python3 >/dev/null || fail "python3 not found; run: sudo apt install python3 python3-venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "needs Python 3.10 or newer; install the present Raspberry Pi OS"
    python3 -c 'import ensurepip' 2>/dev/null || fail "venv is incomplete; run: sudo apt install python3-venv"
    if ! { mkdir -p "$home" && touch "$home/probe" && rm "$home/probe"; } 2>/dev/null; then
        fail "$home cannot be written: if the root is read-only, switch the overlay off in raspi-config, restart, and try again"
    fi
}

put() { # copies file $1 to $2 with mode 0644 unless it is there already; true when it was changed
    ! cmp -s "$1" "$2" || return 1
    install -D -m 0644 "$1" "$2"
    say "wrote $2"
}

install_program() {
    if ! "$home/venv/bin/python" -c '' 2>/dev/null; then
        python3 -m venv --clear "$home/venv"
    fi
    # Its own packages only: numpy and OpenCV of apt are of other ages, and a CSI camera comes through rpicam-vid.
    "$home/venv/bin/python" -m pip install -q --upgrade -c "$tree/constraints.txt" "${tree}[headless]"
    # The same version from a changed clone counts as installed already.
    "$home/venv/bin/python" -m pip install -q --force-reinstall --no-deps "$tree"
    mkdir -p "$(dirname "$program")"
    ln -sfn "$home/venv/bin/edge-digits" "$program"
    put "$tree/README.md" "$home/README.md" || true
    say "$("$program" --version) in $home"
}

install_account() {
    if ! getent passwd "$account" >/dev/null; then
        useradd --system --user-group --home-dir "$state" --shell /usr/sbin/nologin "$account"
        say "made the user $account"
    fi
    for group in video render; do
        if getent group "$group" >/dev/null && ! id -nG "$account" | tr ' ' '\n' | grep -qx "$group"; then
            usermod -aG "$group" "$account"
            say "added $account to the group $group"
        fi
    done
    install -d -m 0750 -o "$account" -g "$account" "$state"
}

install_service() {
    if put "$here/60-edge-digits.rules" "$rules" && systemd_runs; then
        udevadm control --reload && udevadm trigger --subsystem-match=video4linux --subsystem-match=dma_heap
    fi
    if [ -e "$settings" ]; then
        say "left $settings as it is"
    else
        install -D -m 0644 "$here/edge-digits.toml" "$settings"
        say "wrote $settings"
    fi
    put "$here/edge-digits.service" "$unit" || true
    if ! systemd_runs; then
        say "systemd does not run here: the service is in place and was not started"
        return
    fi
    systemctl daemon-reload
    systemctl enable -q edge-digits
    systemctl restart edge-digits
    say "the service runs; its numbers: journalctl -u edge-digits -o cat -f"
}

uninstall() {
    [ "$(id -u)" = 0 ] || fail "needs root; run: sudo $0 --uninstall"
    if systemd_runs && [ -e "$unit" ]; then systemctl disable -q --now edge-digits; fi
    rm -f "$unit" "$rules"
    if systemd_runs; then systemctl daemon-reload && udevadm control --reload; fi
    [ "$(readlink "$program")" != "$home/venv/bin/edge-digits" ] || rm -f "$program"
    rm -rf "$home"
    if [ "$action" = purge ]; then
        rm -rf "$state" "$(dirname "$settings")"
        ! getent passwd "$account" >/dev/null || userdel "$account"
        say "removed, with settings and kept pages"
    else
        say "removed; kept: $settings, $state and the user $account (--purge removes them)"
    fi
}

if [ "$action" != install ]; then
    uninstall
    exit
fi
check_system
install_program
if [ "$service" = yes ]; then
    install_account
    install_service
fi
"$program" doctor || say "something is not sound; see above"
