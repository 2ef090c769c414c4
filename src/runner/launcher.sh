#!/bin/sh
# sh launcher.sh RUNDIR: what a container starts. Brings the code and the plan into RUNDIR, and becomes the runner.
#   STACKRUN_BOOT       folder with runner.sh and plan.sh
#   STACKRUN_CODE       folder with pieces of code.tar.gz, in the order of their names; unset: nothing is unpacked
#   STACKRUN_CODE_HASH  names the code, so that it is unpacked once for all attempts in a folder that is kept
#   STACKRUN_SECRETS    file with the secrets as sh assignments, removed when read; unset: they are in the environment
# Exit codes: those of the runner, see RUNNER_EXIT in src/run/events.ts.
set -u
# The first process of a container gets no signal that it has no trap for.
trap 'exit 68' TERM INT HUP

sr_die() { # exit code, message
    printf 'stackrun: %s\n' "$2" >&2
    printf '%s\n' "$2" 2>/dev/null > "${STACKRUN_TERMINATION_LOG:-/dev/termination-log}" || :
    exit "$1"
}

sr_unpack() {
    [ "$(cat code.hash 2>/dev/null)" != "$STACKRUN_CODE_HASH" ] || return 0
    for sr_tool in gzip tar; do
        command -v "$sr_tool" > /dev/null 2>&1 ||
            sr_die 64 "the image lacks the tool $sr_tool, which unpacks the code: use an image that has it, or one that holds the code"
    done
    rm -rf code code.hash code.new
    mkdir code.new || sr_die 65 "$sr_dir can't be written"
    # Not every sh tells how the parts of a pipeline ended: an archive that is cut off is an error of tar's, too.
    cat "$STACKRUN_CODE"/* | gzip -dc | tar -xf - -C code.new ||
        sr_die 65 "the code can't be unpacked into $sr_dir: is the disk full, or the archive damaged?"
    if ! mv code.new code || ! printf '%s\n' "$STACKRUN_CODE_HASH" > code.hash; then
        sr_die 65 "$sr_dir can't be written"
    fi
}

sr_boot=${STACKRUN_BOOT:?}
sr_dir=${1:?}
if ! mkdir -p "$sr_dir" 2>/dev/null || ! cd "$sr_dir" 2>/dev/null; then
    sr_user=$(id -u 2>/dev/null)
    sr_die 65 "the folder of the run, $sr_dir, can't be made by user $sr_user"
fi
[ -z "${STACKRUN_CODE-}" ] || sr_unpack
# shellcheck source=/dev/null
. "$sr_boot/plan.sh" || sr_die 65 "$sr_dir/plan can't be written"
sr_secrets=${STACKRUN_SECRETS-}
if [ -n "$sr_secrets" ]; then
    [ -r "$sr_secrets" ] || sr_die 64 "the secrets are not in $sr_secrets: they are read once"
    # shellcheck source=/dev/null
    . "$sr_secrets"
    rm -f "$sr_secrets"
fi
rm -f cancel
unset STACKRUN_BOOT STACKRUN_CODE STACKRUN_CODE_HASH STACKRUN_SECRETS STACKRUN_TERMINATION_LOG
exec sh "$sr_boot/runner.sh" "$sr_dir"
