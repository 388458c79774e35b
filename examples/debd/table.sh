#!/usr/bin/env bash
# Trains HCLT mixtures of growing size on each density-estimation set until validation falls, chooses the
# size by validation with seed 1, repeats it with seeds 2 and 3, and prints one line of Markdown for each set:
# set, variables, chosen K, test log-likelihood (median, then all three), validation, seconds of the median run.
#
#   PCC_DATA=DIR examples/debd/table.sh [OUT] [SET..]
#
# Finished runs are kept under OUT, so the script can be stopped and started again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-out/debd}
shift || true
pcc=${PCC:-pcc}
sizes=${SIZES:-"8 16 32 64 128"}
declare -A variables=(
  [nltcs]=16 [msnbc]=17 [kdd]=64 [plants]=69 [baudio]=100 [jester]=100 [bnetflix]=100 [accidents]=111
  [tretail]=135 [pumsb_star]=163 [dna]=180 [kosarek]=190
)
order=(nltcs msnbc kdd plants baudio jester bnetflix accidents tretail pumsb_star dna kosarek)
[ $# -gt 0 ] && order=("$@")

# One run; prints "valid test seconds".
run() { # set K seed
  local folder="$out/$1/K$2-seed$3"
  mkdir -p "$folder"
  # A program of its own for each run keeps the locks of learned trees apart.
  cp "$here/model.pc" "$folder/model.pc"
  if [ ! -s "$folder/events.jsonl.done" ]; then
    "$pcc" run "$folder/model.pc" --out "$folder" --format json --seed "$3" \
      ${THREADS:+--threads "$THREADS"} --set "SET=$1" --set "N=${variables[$1]}" --set "K=$2" > "$folder/events.jsonl" 2> "$folder/log.txt"
    mv "$folder/events.jsonl" "$folder/events.jsonl.done"
  fi
  local events="$folder/events.jsonl.done"
  local value='s/.*"log_likelihood":\(-[0-9.]*\).*/\1/p'
  printf '%s %s %s\n' \
    "$(grep '"eval"' "$events" | grep '"valid":{' | sed -n "$value")" \
    "$(grep '"eval"' "$events" | grep '"test":{' | sed -n "$value")" \
    "$(grep '"done"' "$events" | sed -n 's/.*"seconds":\([0-9.]*\).*/\1/p')"
}

for set in "${order[@]}"; do
  best="" chosen=""
  for size in $sizes; do
    read -r valid _ _ < <(run "$set" "$size" 1)
    if [ -z "$best" ] || awk "BEGIN { exit !($valid > $best) }"; then
      best=$valid chosen=$size
    else
      break
    fi
  done
  results=$(for seed in 1 2 3; do run "$set" "$chosen" "$seed"; done | sort -k2 -g)
  median=$(sed -n 2p <<< "$results")
  read -r valid test seconds <<< "$median"
  all=$(awk '{ printf "%s%.3f", sep, $2; sep = ", " }' <<< "$results")
  printf '| %s | %s | %s | %.3f | %s | %.3f | %.0f |\n' \
    "$set" "${variables[$set]}" "$chosen" "$test" "$all" "$valid" "$seconds"
done
