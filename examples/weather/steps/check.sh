#!/bin/sh
# Looks at every value before anything is computed from it: all faults are named, then the step fails.
set -eu
export LC_ALL=C

awk -f steps/check.awk -v report="$STACKRUN_OUTPUTS/quality.txt" -v metrics="$STACKRUN_METRICS" \
    "$STACKRUN_INPUTS/weather"
