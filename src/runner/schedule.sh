# shellcheck shell=sh
# Which step runs when, and what its end means. Steps are numbers from 1; what is known of step 3 is in sr_<what>_3:
#   name need next plan   from the plan (need: how many steps it still waits for; next: steps that wait for it;
#                         plan: limit of retries, delay, its factor in thousandths, time-out)
#   state    pending | ready | running | waiting (for its next try) | shipping | succeeded | failed | cancelled
#   limit delay factor timeout began try job
#   pid up          of its process group
#   rc why          set when it has ended     wrote    its output is written
#   kill            why it is being ended; of a shipping one: until when it is waited for
#   due             when its time-out, its KILL, its next try, or a look at its shipping is due
#   took reused     of a shipping one: its time; whether an earlier attempt ran it     beat beaten   ship.sh's last sign of life
# Most of it is forgotten when the step has ended: sh is slow with very many variables.

sr_get() { # sets sr_v to what is known of a step: name, step
    eval "sr_v=\${sr_$1_$2-}"
}

sr_set() { # name, step, value
    eval "sr_$1_$2=\$3"
}

# --- order ---------------------------------------------------------------------------------------------------------

sr_enqueue() { # into sr_ready, which is sorted
    sr_set state "$1" ready
    if [ -z "$sr_ready" ] || [ "$1" -gt "$sr_last_ready" ]; then
        sr_ready="$sr_ready$1 "
        sr_last_ready=$1
        return
    fi
    sr_smaller=
    sr_larger=$sr_ready
    while [ "${sr_larger%% *}" -lt "$1" ]; do
        sr_smaller="$sr_smaller${sr_larger%% *} "
        sr_larger=${sr_larger#* }
    done
    sr_ready="$sr_smaller$1 $sr_larger"
}

sr_release() { # a step has succeeded: those that waited for it
    sr_done=$((sr_done + 1))
    sr_get next "$1"
    for sr_j in $sr_v; do
        sr_get need "$sr_j"
        sr_set need "$sr_j" $((sr_v - 1))
        sr_get state "$sr_j"
        case $sr_v in pending)
            sr_get need "$sr_j"
            [ "$sr_v" -ne 0 ] || sr_enqueue "$sr_j"
            ;;
        esac
    done
}

sr_reuse_steps() { # what earlier attempts have done
    sr_k=1
    while [ "$sr_k" -le "$sr_count" ]; do
        sr_get name "$sr_k"
        sr_v=steps/$sr_v/status
        sr_word=
        [ ! -e "$sr_v" ] || read -r sr_word < "$sr_v"
        if [ "${sr_word%% *}" != succeeded ]; then
            sr_set state "$sr_k" pending
        elif [ -n "$sr_ship" ] && ! [ -e "${sr_v%/status}/shipped" ]; then
            sr_set reused "$sr_k" 1
            sr_running="$sr_running$sr_k "
            sr_running_count=$((sr_running_count + 1))
            sr_await_ship "$sr_k"
        else
            sr_set state "$sr_k" succeeded
            sr_get name "$sr_k"
            sr_event step.reused ",\"step\":\"$sr_v\""
        fi
        sr_k=$((sr_k + 1))
    done
}

sr_queue_steps() { # those that wait for nothing (any more), in the plan's order
    sr_k=1
    while [ "$sr_k" -le "$sr_count" ]; do
        sr_get state "$sr_k"
        case $sr_v in
            succeeded) sr_release "$sr_k" ;;
            pending)
                sr_get need "$sr_k"
                [ "$sr_v" -ne 0 ] || sr_enqueue "$sr_k"
                ;;
        esac
        sr_k=$((sr_k + 1))
    done
}

# The folders of all steps that will run, many at once: a process for each would take longer than some steps.
sr_make_folders() {
    set --
    sr_k=1
    while [ "$sr_k" -le "$sr_count" ]; do
        sr_get state "$sr_k"
        if [ "$sr_v" = pending ]; then
            sr_get name "$sr_k"
            [ -d "steps/$sr_v/outputs" ] || set -- "$@" "steps/$sr_v/inputs" "steps/$sr_v/outputs"
        fi
        if [ "$#" -ge 100 ] || { [ "$sr_k" -eq "$sr_count" ] && [ "$#" -gt 0 ]; }; then
            mkdir -p "$@" || sr_record_failed "the folders of the steps can't be made"
            set --
        fi
        sr_k=$((sr_k + 1))
    done
}

sr_start_ready() {
    while [ -n "$sr_ready" ] && [ -z "$sr_failed$sr_stopping$sr_broken" ] && [ "$sr_running_count" -lt "$sr_parallelism" ]; do
        sr_i=${sr_ready%% *}
        sr_ready=${sr_ready#* }
        sr_set try "$sr_i" 0
        sr_get plan "$sr_i"
        # shellcheck disable=SC2086
        sr_set_plan $sr_v
        sr_clock
        sr_set began "$sr_i" "$sr_ms"
        sr_running="$sr_running$sr_i "
        sr_running_count=$((sr_running_count + 1))
        sr_start_try
    done
}

sr_set_plan() { # limit, delay, factor, time-out; of step sr_i
    sr_set limit "$sr_i" "$1"
    sr_set delay "$sr_i" "$2"
    sr_set factor "$sr_i" "$3"
    sr_set timeout "$sr_i" "${4-}"
}

# --- a try ---------------------------------------------------------------------------------------------------------

sr_start_try() { # of step sr_i
    sr_get name "$sr_i"
    sr_name=$sr_v
    sr_step_dir=$sr_dir/steps/$sr_name
    sr_get try "$sr_i"
    sr_try=$((sr_v + 1))
    for sr_j in pid up rc why wrote kill due before; do
        sr_set "$sr_j" "$sr_i" ''
    done
    sr_set try "$sr_i" "$sr_try"
    sr_set state "$sr_i" running
    sr_event step.started ",\"step\":\"$sr_name\",\"try\":$sr_try"
    sr_oom_count
    sr_set oom "$sr_i" "$sr_oom"
    sr_get timeout "$sr_i"
    [ -z "$sr_v" ] || sr_set due "$sr_i" $((sr_ms + sr_v))
    sr_most=0
    if [ "$sr_stream" = stdout ] || [ "$sr_parallelism" -gt 1 ]; then
        sr_most=$((4096 - ${#sr_name} - 2))
    fi
    sr_pipeline sr_supervise
    sr_set job "$sr_i" "$sr_job"
}

sr_oom_count() { # sets sr_oom: how many processes of this cgroup were killed for want of memory; empty: not known
    sr_oom=
    [ -n "$sr_oom_file" ] || return 0
    while read -r sr_word sr_v; do
        [ "$sr_word" != oom_kill ] || sr_oom=$sr_v
    done < "$sr_oom_file"
}

sr_end_step() { # step, why: TERM now, or as soon as its processes are there; KILL when the grace is over
    sr_set kill "$1" "$2"
    sr_set due "$1" ''
    sr_get up "$1"
    [ "$sr_v" = 1 ] || return 0
    sr_get pid "$1"
    [ -n "$sr_v" ] || return 0
    # The group is there only when the process has become its leader.
    if sr_signal_group TERM "$sr_v" || kill -TERM "$sr_v" 2>/dev/null; then
        sr_clock
        sr_set due "$1" $((sr_ms + sr_grace))
    else
        sr_set kill "$1" ''
    fi
}

sr_step_due() { # something of step $1 is due
    sr_set due "$1" ''
    sr_get state "$1"
    case $sr_v in
        waiting)
            sr_i=$1
            sr_start_try
            return
            ;;
        shipping)
            sr_look_at_ship "$1"
            return
            ;;
    esac
    sr_get kill "$1"
    if [ -z "$sr_v" ]; then
        sr_end_step "$1" StepTimedOut
    else
        sr_get pid "$1"
        sr_signal_group KILL "$sr_v" || kill -KILL "$sr_v" 2>/dev/null || :
    fi
}

sr_load_step() { # step: it becomes the one that is spoken of
    sr_i=$1
    sr_get name "$sr_i"
    sr_name=$sr_v
    sr_step_dir=$sr_dir/steps/$sr_name
    sr_get try "$sr_i"
    sr_try=$sr_v
    sr_get rc "$sr_i"
    sr_rc=$sr_v
}

sr_try_ended() { # step sr_i: its processes are gone and its output is written
    sr_load_step "$sr_i"
    sr_get before "$sr_i"
    [ -z "$sr_v" ] || kill -TERM "$sr_v" 2>/dev/null || :
    sr_get job "$sr_i"
    wait "$sr_v" 2>/dev/null
    sr_judge
    if [ "$sr_reason" = RecordFailed ]; then
        sr_record_failed "the folder of step \"$sr_name\" can't be written"
        sr_reason=Cancelled
    fi
    case $sr_reason in
        '') sr_succeeded ;;
        Cancelled) sr_finish Cancelled ;;
        InputMissing) sr_finish Failed ;;
        *) sr_retry || sr_finish Failed ;;
    esac
}

sr_judge() { # sets sr_reason
    sr_get why "$sr_i"
    sr_reason=$sr_v
    sr_get kill "$sr_i"
    if [ -n "$sr_v" ]; then
        sr_reason=$sr_v
    elif [ "$sr_rc" -ne 0 ] && [ -z "$sr_reason" ]; then
        sr_reason=StepFailed
        if [ "$sr_rc" = 137 ]; then
            sr_oom_count
            sr_get oom "$sr_i"
            [ "$sr_oom" = "$sr_v" ] || sr_reason=OutOfMemory
        fi
    fi
}

sr_report_metrics() {
    while read -r sr_v sr_value; do
        sr_event metric ",\"step\":\"$sr_name\",\"name\":\"$sr_v\",\"value\":$sr_value"
    done < "$sr_step_dir/metrics.valid"
    rm -f "$sr_step_dir/metrics.valid"
}

sr_report_artifacts() {
    while read -r sr_v sr_value sr_rest; do
        [ "$sr_value" != - ] || sr_value=
        sr_event artifact ",\"step\":\"$sr_name\",\"name\":\"$sr_rest\",\"size\":$sr_v,\"sha256\":\"$sr_value\""
    done < "$sr_step_dir/artifacts.valid"
    rm -f "$sr_step_dir/artifacts.valid"
}

sr_retry() { # fails if there is no further try
    sr_get limit "$sr_i"
    [ "$sr_try" -le "$sr_v" ] && [ -z "$sr_stopping$sr_broken" ] || return 1
    rm -f "$sr_step_dir/pid" "$sr_step_dir/metrics.valid"
    sr_get delay "$sr_i"
    sr_delay=$sr_v
    sr_seconds "$sr_delay"
    sr_event step.retrying ",\"step\":\"$sr_name\",\"try\":$sr_try,\"exitCode\":$sr_rc,\"delaySeconds\":$sr_s,\"reason\":\"$sr_reason\""
    sr_set state "$sr_i" waiting
    sr_set due "$sr_i" $((sr_ms + sr_delay))
    sr_get factor "$sr_i"
    sr_delay=$((sr_delay * sr_v / 1000))
    # A delay beyond a day is not meant, and would overflow in the end.
    [ "$sr_delay" -le 86400000 ] || sr_delay=86400000
    sr_set delay "$sr_i" "$sr_delay"
}

sr_succeeded() { # step sr_i
    sr_record succeeded
    sr_measure_time
    if [ -n "$sr_ship" ] && [ -z "$sr_broken" ]; then
        sr_await_ship "$sr_i"
    else
        sr_report Succeeded
    fi
}

sr_finish() { # state; of step sr_i
    case $1 in
        Failed) sr_record failed ;;
        *) sr_record cancelled ;;
    esac
    sr_measure_time
    sr_report "$1"
}

# The record first: killed in between, the step must not run again.
sr_record() { # what is kept of how step sr_i has ended
    if ! sr_write_status "$1 $sr_rc $sr_reason"; then
        sr_record_failed "the status of step \"$sr_name\" can't be written"
    fi
    [ ! -e "$sr_step_dir/metrics.valid" ] || sr_report_metrics
    [ "$1:$sr_stream" != succeeded:stdout ] || [ ! -e "$sr_step_dir/artifacts.valid" ] || sr_report_artifacts
}

sr_measure_time() {
    sr_clock
    sr_get began "$sr_i"
    sr_seconds $((sr_ms - sr_v))
    sr_set took "$sr_i" "$sr_s"
}

sr_report() { # state; of step sr_i
    case $1 in
        Succeeded) sr_word=succeeded ;;
        Failed) sr_word=failed ;;
        *) sr_word=cancelled ;;
    esac
    sr_set state "$sr_i" "$sr_word"
    sr_running_count=$((sr_running_count - 1))
    sr_drop_running "$sr_i"
    sr_get reused "$sr_i"
    if [ "$sr_v$1" = 1Succeeded ]; then
        sr_event step.reused ",\"step\":\"$sr_name\""
    else
        sr_get took "$sr_i"
        sr_event step.finished ",\"step\":\"$sr_name\",\"state\":\"$1\",\"try\":${sr_try:-0},\"exitCode\":${sr_rc:-0},\"reason\":\"$sr_reason\",\"durationSeconds\":${sr_v:-0}"
    fi
    case $1 in
        Succeeded) sr_release "$sr_i" ;;
        Failed) sr_step_failed ;;
    esac
    for sr_j in need next plan limit delay factor timeout began took reused beat beaten try job oom pid up rc why wrote kill due before; do
        unset "sr_${sr_j}_$sr_i"
    done
}

# --- the artifact store --------------------------------------------------------------------------------------------
# What ship.sh has not stored is not done: the machine may be gone in the next moment, and the step with it.

sr_await_ship() { # step
    sr_set state "$1" shipping
    sr_set kill "$1" ''
    sr_clock
    sr_set beaten "$1" "$sr_ms"
    sr_set due "$1" $((sr_ms + 50))
    [ -z "$sr_stopping" ] || sr_set kill "$1" $((sr_ms + sr_grace))
}

sr_look_at_ship() { # step
    sr_load_step "$1"
    sr_reason=
    if [ -e "$sr_step_dir/shipped" ]; then
        sr_report Succeeded
        return
    fi
    if [ -e "$sr_step_dir/unshipped" ]; then
        sr_read_text "$sr_step_dir/unshipped"
        # The disk on which the reason was to be written may have been full.
        [ -n "$sr_value" ] || sr_value='what brings it there has not said why'
        sr_ship_failed "$sr_value"
        return
    fi
    sr_get kill "$1"
    if [ -n "$sr_v" ] && [ "$sr_ms" -ge "$sr_v" ]; then
        sr_reason=Cancelled
        sr_report Cancelled
        return
    fi
    sr_hear_ship "$1" || return 0
    sr_set due "$1" $((sr_ms + 200))
}

sr_hear_ship() { # step: fails, and the step with it, when ship.sh has given no sign of life for too long
    sr_word=
    [ ! -e ship.beat ] || read -r sr_word < ship.beat
    sr_get beat "$1"
    if [ "$sr_word" != "$sr_v" ]; then
        sr_set beat "$1" "$sr_word"
        sr_set beaten "$1" "$sr_ms"
    fi
    sr_get beaten "$1"
    [ $((sr_ms - sr_v)) -ge "$sr_ship" ] || return 0
    sr_seconds "$sr_ship"
    sr_ship_failed "what brings it there has given no sign of life for ${sr_s%.000} s"
    return 1
}

sr_ship_failed() { # why, as JSON text: the step has ended well, and the run has failed
    sr_reason=ArtifactStoreFailed
    sr_report Failed
    [ "$sr_failed" != ArtifactStoreFailed ] ||
        sr_failed_text="step \\\"$sr_name\\\" has ended well, but what it left is not in the artifact store: $1"
}

sr_drop_running() {
    sr_v=$sr_running
    sr_running=
    for sr_j in $sr_v; do
        [ "$sr_j" = "$1" ] || sr_running="$sr_running$sr_j "
    done
}

# The file `pid` becomes the status: one process instead of two, and a text that is no number is no process to anybody.
# A signal to the whole process group may hit mv: one more time then.
sr_write_status() {
    printf '%s\n' "$1" > "$sr_step_dir/pid" 2>/dev/null || return 1
    mv -f "$sr_step_dir/pid" "$sr_step_dir/status" || mv -f "$sr_step_dir/pid" "$sr_step_dir/status"
}

sr_step_failed() { # the run has failed: no step starts any more
    if [ -z "$sr_failed" ]; then
        sr_failed=$sr_reason
        sr_failed_text="step \\\"$sr_name\\\" failed on try $sr_try: $sr_reason, exit code $sr_rc"
    fi
    sr_get next "$sr_i"
    sr_blocked=$sr_v
    while [ -n "$sr_blocked" ]; do
        sr_j=${sr_blocked%% *}
        case $sr_blocked in *' '*) sr_blocked=${sr_blocked#* } ;; *) sr_blocked= ;; esac
        sr_get lost "$sr_j"
        if [ -z "$sr_v" ]; then
            sr_set lost "$sr_j" 1
            sr_get next "$sr_j"
            [ -z "$sr_v" ] || sr_blocked="$sr_v${sr_blocked:+ $sr_blocked}"
        fi
    done
}

sr_skip_rest() {
    sr_k=1
    while [ "$sr_k" -le "$sr_count" ]; do
        sr_get state "$sr_k"
        case $sr_v in
            pending | ready)
                sr_get lost "$sr_k"
                sr_word=${sr_v:+DependencyFailed}
                sr_get name "$sr_k"
                sr_event step.skipped ",\"step\":\"$sr_v\",\"reason\":\"${sr_word:-RunEnding}\""
                ;;
        esac
        sr_k=$((sr_k + 1))
    done
}
