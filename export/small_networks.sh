#!/usr/bin/env bash
# Everything that made export/models and export/records/{small,tiny}.json: tiles, two teachers, their answers, five seeds of each network.
# A second call goes on where the first one stopped. DATA is a data folder (see README.md), FONTS a folder of handwriting fonts.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: $0 DATA FONTS" >&2; exit 2; }
data=$1 fonts=$2 runs=runs pool=runs/pool-mnist
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Digits of MNIST train alone, so that every other set of digits is unseen; marks of two kinds, so that all other kinds are.
[ -f $pool/pool.json ] || python -m export.tile_pool --data "$data" --fonts "$fonts" --only mnist_train letters_train fonts \
    --negative-share 0.2 --epochs 16 --gentle 6 --epoch-tiles 80000 --seed 1 --out $pool
for teacher in 1 2; do
    resume=()
    [ ! -f $runs/teacher-$teacher/checkpoint.pt ] || resume=(--resume)
    [ -f $runs/teacher-$teacher/record.json ] || python -m export.train --network teacher --data "$data" --pool $pool --epochs 28 \
        --gentle-share 0.25 --learning-rate 0.003 --weight-decay 0.05 --seed 10$teacher --out $runs/teacher-$teacher "${resume[@]}"
done
[ -f $runs/answers.npy ] || python -m export.answers --runs $runs/teacher-1 $runs/teacher-2 --pool $pool --out $runs/answers.npy
seeds=(--data "$data" --pool "$pool" --answers "$runs/answers.npy" --gentle-share 0.25 --keep)
python -m export.seeds --network small --epochs 44 --out $runs/small "${seeds[@]}"
python -m export.seeds --network tiny --epochs 40 --int8-head --out $runs/tiny "${seeds[@]}"
