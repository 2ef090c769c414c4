# shellcheck shell=sh
# sh runner.sh RUNDIR: runs the plan in RUNDIR/plan. Exit codes: see RUNNER_EXIT in src/run/events.ts.

sr_load_plan() {
    case ${1-} in
        '') sr_die 64 'usage: sh runner.sh RUNDIR' ;;
        /*) sr_dir=${1%/} ;;
        *) sr_dir=$PWD/${1%/} ;;
    esac
    cd "$sr_dir" 2>/dev/null || sr_die 64 "$sr_dir is not a folder"
    for sr_v in awk cat cp date ln mkdir mkfifo mv rm rmdir sleep tail; do
        command -v "$sr_v" > /dev/null 2>&1 || sr_die 64 "this machine or image lacks the tool $sr_v"
    done
    [ -r plan/plan.sh ] || sr_die 64 "$sr_dir/plan can't be read"
    sr_run_id='' sr_attempt='' sr_nonce='' sr_stream='' sr_parallelism='' sr_timeout='' sr_grace='' sr_code_dir='' sr_secrets='' sr_ship=''
    sr_count=0
    # shellcheck source=/dev/null
    . "$sr_dir/plan/plan.sh"
    [ "${sr_plan_ends-}" = "$sr_count" ] || sr_die 64 "$sr_dir/plan is not whole"
    sr_code=${sr_code_dir:-$sr_dir/code}
    if [ -z "$sr_code_dir" ] && ! [ -d code ]; then
        mkdir code || sr_die 65 "$sr_dir can't be written"
    fi
    [ -d "$sr_code" ] || sr_die 64 "the working directory $sr_code does not exist"
}

# Two runners would run every step twice. The folder .starting makes looking for another one and saying "here I am" one act.
sr_lock() {
    sr_k=0
    sr_j=0
    until mkdir .starting 2>/dev/null; do
        # It may have gone in between, but not again and again.
        [ -d .starting ] || sr_j=$((sr_j + 1))
        [ "$sr_j" -lt 5 ] || sr_die 65 "$sr_dir can't be written"
        sr_k=$((sr_k + 1))
        # Its owner can only have been killed between two commands.
        [ "$sr_k" -lt 50 ] || rmdir .starting 2>/dev/null
        sr_sleep 0.1
    done
    sr_starting=1
    if [ -e runner.pid ] && read -r sr_other sr_other_start < runner.pid &&
        [ "$sr_other" != $$ ] && kill -0 "$sr_other" 2>/dev/null; then
        sr_proc_state=
        sr_start_time "$sr_other"
        if [ "$sr_start" = "$sr_other_start" ] && [ "$sr_proc_state" != Z ]; then
            sr_die 64 "another runner, process $sr_other, is at work in $sr_dir"
        fi
    fi
    sr_start_time $$
    if ! { echo "$$ $sr_start" > runner.pid.new; } 2>/dev/null || ! mv -f runner.pid.new runner.pid; then
        sr_die 65 "$sr_dir can't be written"
    fi
    sr_locked=1
    rmdir .starting
    sr_starting=
}

# Steps of an earlier attempt whose runner was killed: they would work beside their own second run.
sr_end_orphans() {
    for sr_file in steps/*/pid; do
        [ -e "$sr_file" ] || continue
        if read -r sr_other sr_other_start < "$sr_file" && sr_signal_group 0 "$sr_other"; then
            # Where the group's first process is gone and the group is not, its number can't have been given away.
            sr_proc_state=
            sr_start_time "$sr_other"
            if [ -z "$sr_proc_state" ] || [ "$sr_start" = "$sr_other_start" ]; then
                sr_end_group "$sr_other"
            fi
        fi
        rm -f "$sr_file"
    done
}

# Each step gets a process group of its own.
sr_choose_group() {
    sr_group_by=setsid
    sr_setsid=$(command -v setsid) && return
    sr_group_by=monitor
    if ! (
        set -m
        (exec sleep 5) &
        set +m
        kill -0 "-$!"
        sr_v=$?
        kill $!
        exit "$sr_v"
    ) 2>/dev/null; then
        sr_die 64 'this machine or image lacks the tool setsid (and its sh has no job control without a terminal)'
    fi
}

sr_choose_oom_file() { # of cgroup v2 or v1
    sr_oom_file=
    sr_v=
    sr_word=
    while IFS=: read -r sr_k sr_j sr_other; do
        case $sr_k:$sr_j in
            0:) sr_v=$sr_other ;;
            *:memory) sr_word=$sr_other ;;
        esac
    done 2>/dev/null < /proc/self/cgroup
    for sr_file in "/sys/fs/cgroup$sr_v/memory.events" /sys/fs/cgroup/memory.events \
        "/sys/fs/cgroup/memory$sr_word/memory.oom_control" /sys/fs/cgroup/memory/memory.oom_control; do
        if [ -r "$sr_file" ]; then
            sr_oom_file=$sr_file
            sr_oom_count
            [ -z "$sr_oom" ] || return 0
        fi
    done
    sr_oom_file=
}

sr_open_queue() { # descriptor 9: what steps, timer and signals tell the main loop
    sr_v=$sr_dir/.queue
    if ! mkfifo "$sr_v" 2>/dev/null; then
        # Not every file system has them; or an earlier runner was killed just here.
        rm -f "$sr_v"
        sr_v=${TMPDIR:-/tmp}/stackrun-$$-$sr_nonce
        mkfifo "$sr_v" || sr_die 65 "no named pipe can be made in $sr_dir nor in ${TMPDIR:-/tmp}"
    fi
    exec 9<> "$sr_v"
    sr_queue=1
    rm -f "$sr_v"
}

# --- signals and time ----------------------------------------------------------------------------------------------

sr_on_signal() {
    sr_signal=${sr_signal:-$1}
    # Not every shell ends a read when it gets a signal.
    [ -z "$sr_queue" ] || echo signal >&9
}

# From the first moment: to a container's first process a signal without a trap does nothing at all.
sr_set_traps() {
    sr_signal=''
    sr_queue=''
    trap 'sr_on_signal TERM' TERM
    trap 'sr_on_signal INT' INT
    trap 'sr_on_signal HUP' HUP
    # Where nobody reads the output any more, steps must still be ended in order.
    trap '' PIPE
}

sr_stop() { # kind of end, reason, message (JSON text without its quotes)
    sr_stopping=$1
    sr_stop_reason=$2
    sr_stop_text=$3
    sr_event run.stopping ",\"reason\":\"$2\""
    for sr_k in $sr_running; do
        sr_get state "$sr_k"
        case $sr_v in
            waiting)
                sr_load_step "$sr_k"
                sr_reason=Cancelled
                sr_finish Cancelled
                ;;
            # It has the same time as a step that is told to end.
            shipping) sr_set kill "$sr_k" $((sr_ms + sr_grace)) ;;
            *)
                sr_get kill "$sr_k"
                [ -n "$sr_v" ] || sr_end_step "$sr_k" Cancelled
                ;;
        esac
    done
}

sr_stop_if_asked() {
    [ -z "$sr_stopping" ] && [ "$sr_done" -lt "$sr_count" ] || return 0
    if [ -n "$sr_broken" ]; then
        sr_stop Broken RecordFailed 'the run directory could not be written'
    elif [ -e cancel ]; then
        sr_read_text cancel
        [ -n "$sr_value" ] || sr_value='the run was cancelled'
        sr_stop Cancelled "$sr_word" "$sr_value"
    elif [ -n "$sr_signal" ]; then
        sr_stop Interrupted Interrupted "the runner was ended by signal $sr_signal"
    elif [ -n "$sr_deadline" ] && [ "$sr_ms" -ge "$sr_deadline" ]; then
        sr_seconds "$sr_timeout"
        sr_stop TimedOut DeadlineExceeded "the run took longer than its timeout of ${sr_s%.000} s"
    fi
}

sr_read_text() { # a file: sets sr_value to its text as JSON, sr_word to it as a reason if it is one word
    # shellcheck disable=SC2016
    sr_value=$(LC_ALL=C awk '
        { text = text (NR > 1 ? " " : "") $0 }
        END {
            if (length(text) > 1000) { text = substr(text, 1, 1000); sub(/[\200-\377]+$/, "", text) }
            gsub(/[\001-\037]/, " ", text)
            while (match(text, /[\\"]/)) {
                done = done substr(text, 1, RSTART - 1) "\\" substr(text, RSTART, 1)
                text = substr(text, RSTART + 1)
            }
            print done text
        }' "$1")
    case $sr_value in
        '' | *[!A-Za-z0-9]*) sr_word=Cancelled ;;
        *) sr_word=$sr_value ;;
    esac
}

# A timer is always under way: the next thing that is due, or a second, so that nothing waits longer for a shell whose
# read goes on after a signal.
sr_arm_timer() {
    sr_next=$((sr_ms + 1000))
    for sr_k in $sr_running; do
        sr_get due "$sr_k"
        [ -z "$sr_v" ] || [ "$sr_v" -ge "$sr_next" ] || sr_next=$sr_v
    done
    if [ -n "$sr_deadline" ] && [ -z "$sr_stopping" ] && [ "$sr_deadline" -lt "$sr_next" ]; then
        sr_next=$sr_deadline
    fi
    if [ -n "$sr_timer" ]; then
        [ "$sr_next" -lt "$sr_timer_due" ] || return 0
        sr_end_timer
    fi
    [ "$sr_next" -gt $((sr_ms + 10)) ] || sr_next=$((sr_ms + 10))
    sr_timer_due=$sr_next
    sr_seconds $((sr_next - sr_ms))
    sr_timer_count=$((sr_timer_count + 1))
    (
        # shellcheck disable=SC2016
        trap 'kill $! 2>/dev/null; exit' TERM INT HUP
        exec 8>&-
        sleep "$sr_s" > /dev/null 2>&1 9>&- &
        wait $! || sleep 1 > /dev/null 9>&-
        echo "timer $sr_timer_count" >&9
    ) &
    sr_timer=$!
}

sr_end_timer() {
    [ -n "$sr_timer" ] || return 0
    kill -TERM "$sr_timer" 2>/dev/null
    wait "$sr_timer" 2>/dev/null
    sr_timer=
}

sr_run_due() {
    for sr_k in $sr_running; do
        sr_get due "$sr_k"
        [ -z "$sr_v" ] || [ "$sr_ms" -lt "$sr_v" ] || sr_step_due "$sr_k"
    done
}

# --- the main loop -------------------------------------------------------------------------------------------------

sr_handle() { # kind, and what comes with it
    case $1 in
        pid | up)
            sr_set "$1" "$2" "${3:-1}"
            sr_get kill "$2"
            [ -z "$sr_v" ] || sr_end_step "$2" "$sr_v"
            ;;
        before) sr_set before "$2" "$3" ;;
        end)
            sr_set rc "$2" "$3"
            sr_set why "$2" "${4-}"
            sr_i=$2
            sr_get wrote "$2"
            [ -z "$sr_v" ] || sr_try_ended
            ;;
        out) sr_output_ended "$2" "$3" ;;
        timer)
            [ "$2" != "$sr_timer_count" ] || sr_end_timer
            ;;
        signal) sr_end_timer ;; # A signal to the whole process group may have ended it.
    esac
}

sr_output_ended() { # step, exit code of its filter
    sr_i=$1
    sr_set wrote "$1" 1
    if [ "$2" -ne 0 ]; then
        sr_get name "$1"
        sr_record_failed "the log of step \"$sr_v\" can't be written"
    fi
    sr_get rc "$1"
    if [ -n "$sr_v" ]; then
        sr_try_ended
    elif [ "$2" -eq 0 ]; then
        # The process between the runner and the step was killed, and nobody knows how the step ended.
        sr_get pid "$1"
        [ -z "$sr_v" ] || sr_end_group "$sr_v"
        sr_set rc "$1" 137
        sr_try_ended
    fi
}

sr_loop() {
    while :; do
        sr_clock
        sr_stop_if_asked
        sr_run_due
        sr_start_ready
        [ "$sr_running_count" -gt 0 ] || break
        sr_clock
        sr_arm_timer
        sr_kind=
        if read -r sr_kind sr_a sr_b sr_c <&9 && [ -n "$sr_kind" ]; then
            sr_handle "$sr_kind" "$sr_a" "$sr_b" "$sr_c"
        fi
    done
    sr_end_timer
}

sr_finish_run() {
    # A step that failed for good decides, whoever takes the machine or however long it took.
    case $sr_stopping:$sr_failed in Interrupted:?* | TimedOut:?*) sr_stopping= ;; esac
    case $sr_stopping in
        '')
            if [ -n "$sr_failed" ]; then
                sr_v=1
                [ "$sr_failed" != ArtifactStoreFailed ] || sr_v=69
                sr_result Failed "$sr_failed" "$sr_failed_text" "$sr_v"
            elif [ "$sr_done" -ne "$sr_count" ]; then
                sr_result Failed PlanUnusable 'steps of the plan wait for each other' 64
            else
                sr_result Succeeded '' "all $sr_count steps have succeeded" 0
            fi
            ;;
        Broken) sr_result Failed RecordFailed "$sr_stop_text" 65 ;;
        TimedOut) sr_result TimedOut "$sr_stop_reason" "$sr_stop_text" 66 ;;
        Cancelled) sr_result Cancelled "$sr_stop_reason" "$sr_stop_text" 67 ;;
        Interrupted) sr_result Interrupted "$sr_stop_reason" "$sr_stop_text" 68 ;;
    esac
}

sr_result() { # state, reason, message, exit code
    # What an interruption left out is only late, not skipped.
    [ "$1" = Interrupted ] || sr_skip_rest
    [ -z "$sr_broken" ] || set -- Failed RecordFailed 'the run directory could not be written' 65
    sr_event run.finished ",\"state\":\"$1\",\"reason\":\"$2\",\"exitCode\":$4,\"message\":\"$3\""
    [ -z "$sr_broken" ] || set -- '' '' '' 65
    [ "$1" = Interrupted ] || sr_wait_for_reader
    rm -f "$sr_dir/runner.pid"
    exit "$4"
}

# What the platform's log has lost can be fetched from here, as long as the runner is there.
sr_wait_for_reader() { # half a minute at most, if somebody has asked for it with a file `reader`
    sr_clock
    sr_v=$((sr_ms + 30000))
    while [ -e reader ] && [ -z "$sr_signal" ] && [ "$sr_ms" -lt "$sr_v" ]; do
        sleep 0.2 2>/dev/null || sleep 1
        sr_clock
    done
    rm -f reader
}

sr_freshness() { # no record, and nothing that was brought back
    [ "$sr_n" -eq 0 ] || return 0
    for sr_file in steps/*/status; do
        [ -e "$sr_file" ] || printf ',"fresh":true'
        return
    done
}

sr_set_traps
sr_load_plan "$@"
sr_choose_group
sr_clock
sr_mark=stackrun-end-$$-$sr_ms
sr_choose_filter
sr_lock
sr_failed='' sr_stopping='' sr_broken='' sr_ready='' sr_last_ready=0 sr_running='' sr_running_count=0
sr_timer='' sr_timer_count=0 sr_done=0
sr_end_orphans
sr_open_queue
sr_sync_clock
rm -f reader
sr_open_events || sr_die 65 "$sr_dir/events.jsonl can't be written"
sr_choose_oom_file
sr_deadline=${sr_timeout:+$((sr_ms + ${sr_timeout:-0}))}
sr_event run.started ",\"pid\":$$$(sr_freshness)"
sr_reuse_steps
sr_make_folders
sr_queue_steps
sr_loop
sr_finish_run
