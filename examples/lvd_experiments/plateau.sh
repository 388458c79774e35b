#!/usr/bin/env bash
# Images, one circuit of growing size from labels and from random:
#
#   plateau.sh DATA OUT      DATA holds train.npy, valid.npy and test.npy, made by pictures.py --bits 5
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=$1 out=$2
"$here/sweep.sh" "$here/plateau.pc" "$out" CODES "${SIZES:-8 16 32 64}" "distill random" "${SEEDS:-1 2 3}" \
  --data "$data" --threads "${THREADS:-1}"
"${PCC:-pcc}" compare "$out"/distill-* "$out"/random-* --svg "$out/sizes.svg"
largest=$(set -- ${SIZES:-8 16 32 64}; eval echo "\${$#}")
"${PCC:-pcc}" compare "$out"/distill-"$largest"-* "$out"/random-"$largest"-* --svg "$out/course.svg" --over cpu,visits
