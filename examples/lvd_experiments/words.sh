#!/usr/bin/env bash
# Text, hidden Markov models of growing size from labels and from random, with two kinds of labels beside and a
# control whose labels belong to other rows:
#
#   words.sh DATA OUT        DATA holds text-public-domain/books.{train,valid,test}.txt.gz
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=$1 out=$2
"$here/sweep.sh" "$here/words.pc" "$out" K "${SIZES:-32 64 128 256 512}" "${RECIPES:-distill of_words shuffled random}" \
  "${SEEDS:-1 2 3}" --data "$data" --threads "${THREADS:-1}"
"${PCC:-pcc}" compare "$out"/*-[0-9]*-[0-9]* --svg "$out/sizes.svg"
