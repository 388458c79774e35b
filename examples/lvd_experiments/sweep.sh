#!/usr/bin/env bash
# Runs recipes of a program at several sizes and with several seeds, one after the other:
#
#   sweep.sh PROGRAM OUT CONST "SIZES" "RECIPES" "SEEDS" [OPTIONS OF pcc run..]
#
# CONST is the constant that is the size. A run lies in OUT/RECIPE-SIZE-SEED. Finished runs are kept, so the
# script can be stopped and started again. `PCC` names the program, `pcc` by default.
set -euo pipefail
program=$1 out=$2 const=$3 sizes=$4 recipes=$5 seeds=$6
shift 6
pcc=${PCC:-pcc}
for seed in $seeds; do
  for size in $sizes; do
    # A program of its own for each size keeps the locks of what is learned apart.
    mkdir -p "$out/programs/$size"
    cmp -s "$program" "$out/programs/$size/model.pc" || cp "$program" "$out/programs/$size/model.pc"
    for recipe in $recipes; do
      folder="$out/$recipe-$size-$seed"
      if [ ! -s "$folder/summary.json" ]; then
        mkdir -p "$folder"
        "$pcc" run "$out/programs/$size/model.pc" "$recipe" --out "$folder" --seed "$seed" \
          --set "$const=$size" "$@" 2> "$folder/log.txt" || { cat "$folder/log.txt" >&2; exit 1; }
        echo "$folder: $(grep '^  test' "$folder/log.txt")"
      fi
    done
  done
done
