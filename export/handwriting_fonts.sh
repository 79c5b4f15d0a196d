#!/usr/bin/env bash
# Fetches the handwriting fonts that generated pages are written in: families of Google Fonts under the Open Font License or
# Apache License, as npm packages, those of handwriting_fonts.txt beside this script (family, then its scripts). Nothing of
# them is shipped; a font that is there already is kept. Needs npm.
#
#     export/handwriting_fonts.sh FONTS
#
# FONTS then holds handwriting/ and handwriting-other-scripts/; printed fonts may lie beside them: `--fonts FONTS`.
set -euo pipefail
if [ $# -ne 1 ]; then
    echo "usage: export/handwriting_fonts.sh FONTS" >&2
    exit 2
fi
command -v npm >/dev/null || { echo "handwriting_fonts.sh: needs npm; install Node.js" >&2; exit 1; }
families=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/handwriting_fonts.txt
mkdir -p "$1/handwriting" "$1/handwriting-other-scripts"
fonts=$(cd "$1" && pwd)
packed=$(mktemp -d)
trap 'rm -rf "$packed"' EXIT

folder_of() { if [ "$1" = latin ]; then echo handwriting; else echo handwriting-other-scripts; fi; }

count=0 total=$(wc -l <"$families")
while read -r family scripts; do
    count=$((count + 1))
    printf '\r%d of %d families' "$count" "$total" >&2
    wanted=()
    for script in $scripts; do
        name=$family-$script-400-normal.woff
        if [ ! -e "$fonts/$(folder_of "$script")/$name" ]; then wanted+=("$script"); fi
    done
    if [ ${#wanted[@]} -eq 0 ]; then continue; fi
    archive=$(cd "$packed" && npm pack --silent "@fontsource/$family" </dev/null) || {
        echo >&2
        echo "handwriting_fonts.sh: $family cannot be fetched; run the same command again" >&2
        exit 1
    }
    for script in "${wanted[@]}"; do
        name=$family-$script-400-normal.woff
        tar xzOf "$packed/$archive" "package/files/$name" >"$packed/font"
        mv "$packed/font" "$fonts/$(folder_of "$script")/$name"
    done
    rm "$packed/$archive"
done <"$families"
echo >&2
