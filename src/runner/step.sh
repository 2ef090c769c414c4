# shellcheck shell=sh
# One try of one step, as a process beside the main loop. It speaks to the main loop by lines on descriptor 9:
#   pid INDEX PGID   the step's process group         up INDEX     the step's first process obeys signals
#   end INDEX EXIT REASON                             out INDEX EXIT     all its output is written
# Its own standard output is the filter.

sr_tell() { # a message of stackrun in the step's log
    printf 'stackrun: %s\n' "$1"
}

sr_supervise() { # called with signals ignored
    exec 2> /dev/null
    sr_rc=1
    sr_reason=
    # shellcheck source=/dev/null
    . "$sr_dir/plan/steps/$sr_i.sh"
    if sr_empty_folders; then
        sr_step_inputs
        [ -n "$sr_reason" ] || sr_run_step
    else
        sr_reason=RecordFailed
    fi
    echo "end $sr_i $sr_rc $sr_reason" >&9
    printf '\n%s\n' "$sr_mark"
}

sr_empty_folders() {
    # Where there is a file for metrics, there was a try.
    if [ -e "$sr_step_dir/metrics" ]; then
        rm -rf "$sr_step_dir/outputs" "$sr_step_dir/inputs" || return 1
        mkdir -p "$sr_step_dir/outputs" "$sr_step_dir/inputs" || return 1
    fi
    rm -f "$sr_step_dir/metrics.valid" "$sr_step_dir/artifacts.valid"
    printf '' > "$sr_step_dir/metrics"
}

sr_input() { # name, step, output: called by the plan
    if ! [ -e "$sr_dir/steps/$2/outputs/$3" ]; then
        sr_tell "input \"$1\" is missing: step \"$2\" left no output \"$3\""
        sr_reason=InputMissing
        return
    fi
    ln -s "../../$2/outputs/$3" "$sr_step_dir/inputs/$1" ||
        cp -R "$sr_dir/steps/$2/outputs/$3" "$sr_step_dir/inputs/$1" || sr_reason=RecordFailed
}

sr_output() { # name, name as JSON text: called by the plan
    if ! [ -e "$sr_step_dir/outputs/$1" ]; then
        sr_tell "output \"$1\" is missing: the step left nothing of that name in \$STACKRUN_OUTPUTS"
        sr_reason=OutputMissing
    elif [ "$sr_stream" = stdout ]; then
        # For those who can't look into the folder; `name` last, it may hold spaces.
        printf '%s %s\n' "$(sr_measure "$sr_step_dir/outputs/$1")" "$2" >> "$sr_step_dir/artifacts.valid" || sr_reason=RecordFailed
    fi
}

# Prints size and SHA-256 of a file, or of a folder's sorted names and hashes: as collectArtifacts of src/run/record.ts.
# `-` where the image has no tool for it.
sr_measure() {
    if [ -d "$1" ]; then
        # shellcheck disable=SC2012
        sr_list=$(ls -A "$1" | LC_ALL=C sort | while IFS= read -r sr_file; do
            printf '%s %s\n' "$(sr_measure "$1/$sr_file")" "$sr_file"
        done)
        sr_sum=$(printf '%s' "${sr_list:+$sr_list
}" | awk '{ sum += $1 } END { printf "%.0f", sum }')
        sr_hash=$(printf '%s' "${sr_list:+$sr_list
}" | while read -r sr_rest sr_hash sr_file; do
            printf '%s\000%s\n' "$sr_file" "$sr_hash"
        done | sr_sha256)
    else
        sr_sum=$(wc -c < "$1")
        sr_hash=$(sr_sha256 < "$1")
    fi
    echo "$((sr_sum)) ${sr_hash:--}"
}

sr_sha256() {
    sha256sum 2>/dev/null | while read -r sr_hash sr_rest; do echo "$sr_hash"; done
}

sr_run_step() {
    [ "$sr_group_by" = setsid ] || set -m
    (
        trap - TERM INT HUP PIPE
        # Known before the step does anything: when the runner is killed, nothing of it must be missed.
        if read -r sr_stat < /proc/self/stat; then
            sr_note_pid "${sr_stat%% *}" "$sr_stat"
        fi
        echo "up $sr_i" >&9
        exec 2>&1 8>&- 9>&-
        sr_become_step
    ) < /dev/null &
    sr_pid=$!
    [ "$sr_group_by" = setsid ] || set +m
    [ -r /proc/self/stat ] || sr_note_pid "$sr_pid" ''
    wait "$sr_pid"
    sr_rc=$?
    [ -e "$sr_step_dir/pid" ] || sr_reason=RecordFailed
    sr_end_group "$sr_pid"
    [ "$sr_rc" -ne 0 ] || sr_step_outputs
    [ ! -s "$sr_step_dir/metrics" ] || sr_read_metrics || sr_reason=RecordFailed
}

sr_note_pid() { # process, its stat
    sr_stat_of "$2"
    echo "$1 $sr_start" > "$sr_step_dir/pid"
    echo "pid $sr_i $1" >&9
}

sr_become_step() {
    if ! cd "$sr_code"; then
        sr_tell "the working directory $sr_code can't be entered"
        exit 126
    fi
    # shellcheck source=/dev/null
    . "$sr_dir/plan/env.sh"
    sr_step_exec
}

sr_exec() { # command: called by the plan, after the step's environment was set
    export STACKRUN_RUN_ID="$sr_run_id" STACKRUN_STEP="$sr_name" STACKRUN_ATTEMPT="$sr_attempt" STACKRUN_TRY="$sr_try"
    export STACKRUN_INPUTS="$sr_step_dir/inputs" STACKRUN_OUTPUTS="$sr_step_dir/outputs"
    export STACKRUN_METRICS="$sr_step_dir/metrics"
    case $1 in
        */*)
            [ -e "$1" ] || sr_refuse 127 "$1 does not exist"
            if [ ! -x "$1" ] || [ -d "$1" ]; then sr_refuse 126 "$1 can't be executed"; fi
            ;;
        *) command -v "$1" > /dev/null 2>&1 || sr_refuse 127 "$1: no such command" ;;
    esac
    [ "$sr_group_by" != setsid ] || exec "$sr_setsid" -- "$@"
    exec "$@"
}

sr_refuse() { # exit code, message
    sr_tell "$2"
    exit "$1"
}

# Writes the numbers to metrics.valid, for the main loop.
sr_read_metrics() {
    # shellcheck disable=SC2016
    SR_VALID="$sr_step_dir/metrics.valid" LC_ALL=C awk '
        BEGIN { valid = ENVIRON["SR_VALID"]; printf "" > valid }
        { sub(/[ \t\r]+$/, "") }
        $0 == "" { next }
        /^[A-Za-z_][A-Za-z0-9_.-]*=-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/ {
            at = index($0, "=")
            value = substr($0, at + 1)
            # A larger exponent is no number to those who read the event.
            if (!match(value, /[eE]/) || substr(value, RSTART + 1) + 0 < 300) {
                print substr($0, 1, at - 1), value > valid
                next
            }
        }
        { print "stackrun: line " NR " of $STACKRUN_METRICS is left out, because it is not NAME=NUMBER: " substr($0, 1, 200) }
    ' "$sr_step_dir/metrics"
}
