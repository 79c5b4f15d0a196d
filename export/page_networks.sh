#!/usr/bin/env bash
# Everything from the data sets to the three networks that read whole pages beside the tile classifier: labelled proposals and
# parts of generated and of real pages, the context network, the string network, the finder. What is there already is kept; a
# training goes on from its checkpoint. On two cores about seven hours.
#
#     export/page_networks.sh DATA FONTS MINED.npz
#
# FONTS is what handwriting_fonts.sh fetches, printed fonts beside it.
# MINED.npz is of `python -m export.mine`. Quantizing, judging and publishing: ../calibration/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ $# -ne 3 ]; then
    echo "usage: export/page_networks.sh DATA FONTS MINED.npz" >&2
    exit 2
fi
data=$1 fonts=$2 mined=$3
export OMP_NUM_THREADS=1

proposals() { # name, pages, seed, further options
    local name=$1 count=$2 seed=$3
    shift 3
    python -m export.pages.proposals --data "$data" --fonts "$fonts" --count "$count" --seed "$seed" "$@" --out "runs/$name"
}

resume() { # the option that goes on, where a run has begun
    if [ -e "runs/$1/checkpoint.pt" ]; then echo --resume; fi
}

proposals proposals-1 2500 1
proposals proposals-2 700 2
proposals proposals-3 3000 3
proposals proposals-real 1500 1 --real
proposals proposals-real2 600 2 --real
proposals proposals-cheques 1800 3 --real --text-share 0
proposals proposals-cheques2 6000 4 --real --text-share 0
proposals proposals-val3 200 11 --split validation
proposals proposals-real-val2 100 9 --split validation --real

each() { # option, names: the option once for each folder of runs
    local option=$1 name
    shift
    for name in "$@"; do printf -- '%s runs/%s ' "$option" "$name"; done
}

# shellcheck disable=SC2046
python -m export.train_context $(each --proposals proposals-{1,2,3,real,real2,cheques}) --validation runs/proposals-val3 \
    --epochs 6 --batch 384 --learning-rate 0.0025 --threads 1 $(resume context) --out runs/context

for part in 1:100000 2:400000; do
    seed=${part%%:*}
    if [ ! -e "runs/strings-$seed.npz" ]; then
        python -m export.strings --data "$data" --fonts "$fonts" --mined "$mined" --count "${part##*:}" --seed "$seed" \
            --out "runs/strings-$seed.npz"
    fi
done

train_strings() { # run, epochs, learning rate, further options
    local run=$1 epochs=$2 rate=$3
    shift 3
    # shellcheck disable=SC2046
    python -m export.train_strings --epochs "$epochs" --learning-rate "$rate" --threads 1 \
        $(each --validation proposals-val3 proposals-real-val2) "$@" $(resume "$run") --out "runs/$run"
}

# First what is made, then what pages hold, last the cheques, of which there are few, several times over.
# shellcheck disable=SC2046
train_strings strings-made 8 0.0025 $(each --strips strings-1.npz strings-2.npz)
# shellcheck disable=SC2046
train_strings strings-pages 3 0.002 $(each --strips strings-1.npz strings-2.npz proposals-{2,3,real2,cheques,cheques}) --start-from runs/strings-made
# shellcheck disable=SC2046
train_strings strings 6 0.0015 $(each --strips strings-1.npz proposals-{2,3,real2,cheques,cheques,cheques} proposals-cheques2{,,,,}) \
    --start-from runs/strings-pages

crops() { # name, pages, seed, further options
    local name=$1 count=$2 seed=$3
    shift 3
    python -m export.pages.crops --data "$data" --fonts "$fonts" --count "$count" --seed "$seed" "$@" --out "runs/$name"
}

crops crops-1 3400 31
crops crops-2 3400 33
crops crops-3 1800 34
crops crops-real 800 32 --real
crops crops-printed 1000 41 --only printed
crops crops-4 4500 35
crops crops-text 700 43 --only text
crops crops-negative 700 44 --only negative
crops crops-5 1500 36
crops crops-6 1500 37
crops crops-printed2 400 45 --only printed
crops crops-printed3 1000 47 --only printed
crops crops-negative2 300 45 --only negative
crops crops-text2 300 46 --only text
crops crops-7 800 38
crops crops-letters0 400 48 --only letters
crops crops-letters1 400 98 --only letters
crops crops-boxed 400 49 --only boxed
crops crops-8 1800 61
crops crops-text3 700 62 --only text
crops crops-negative3 300 63 --only negative
crops crops-letters2 200 64 --only letters
crops crops-val2 400 901 --split validation

train_finder() { # run, epochs, learning rate, further options
    local run=$1 epochs=$2 rate=$3
    shift 3
    # shellcheck disable=SC2046
    python -m export.train_finder --epochs "$epochs" --learning-rate "$rate" --threads 1 --validation runs/crops-val2 \
        "$@" $(resume "$run") --out "runs/$run"
}

# More pages each time: printed numbers, then pages of text and signs above all.
# shellcheck disable=SC2046
train_finder finder-1 9 0.0025 $(each --crops crops-{1,2,real})
# shellcheck disable=SC2046
train_finder finder-2 3 0.0015 $(each --crops crops-{1,2,3,real,printed,printed}) --start-from runs/finder-1
# shellcheck disable=SC2046
train_finder finder-3 3 0.002 $(each --crops crops-{1,2,3,4,real,printed}) --start-from runs/finder-2
# shellcheck disable=SC2046
train_finder finder-4 4 0.0018 $(each --crops crops-{1,2,3,4,real,printed,printed,text,negative}) --start-from runs/finder-3
# Then few large printed numbers and hands as neat as print, to be told from each other; what shows no digit lies in every way.
# shellcheck disable=SC2046
train_finder finder-6 5 0.0018 $(each --crops crops-{1..6} crops-{real,printed,printed2,printed3,text,text2,negative,negative2}) \
    --start-from runs/finder-4
# Sheets of single letters, hands that write as taught.
# shellcheck disable=SC2046
train_finder finder-7 3 0.0012 $(each --crops crops-{1..7} crops-{boxed,real,printed,printed2,printed3,text,text2,negative,negative2,letters0,letters1,letters0,letters1}) \
    --start-from runs/finder-6
# Text in many hands and scripts.
# shellcheck disable=SC2046
train_finder finder 3 0.0015 $(each --crops crops-{1..8} crops-8 crops-{boxed,real,printed,printed2,printed3,text,text2,text3,text3,negative,negative2,negative3,letters0,letters1,letters2}) \
    --start-from runs/finder-7
