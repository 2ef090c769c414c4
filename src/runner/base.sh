# shellcheck shell=sh
# The runner's ground: messages, the clock, the event record, processes.
# Every variable starts with sr_, so that none of the caller's environment is changed on its way to the steps.
# Time is counted in milliseconds.
set -u

sr_say() {
    printf 'stackrun runner: %s\n' "$1" >&2
}

sr_die() { # exit code, message: only before a step was started
    sr_say "$2"
    [ -z "${sr_locked-}" ] || rm -f "$sr_dir/runner.pid"
    [ -z "${sr_starting-}" ] || rmdir "$sr_dir/.starting"
    exit "$1"
}

# --- clock ---------------------------------------------------------------------------------------------------------

sr_uptime=/proc/uptime
[ -r "$sr_uptime" ] || sr_uptime=

sr_clock() { # sets sr_ms, which never goes back; costs no process where /proc is
    if [ -n "$sr_uptime" ] && read -r sr_up sr_rest < "$sr_uptime"; then
        sr_up_part=${sr_up#*.}
        sr_up_part=${sr_up_part#0}
        sr_ms=$((${sr_up%%.*} * 1000 + ${sr_up_part:-0} * 10))
    else
        sr_ms=$(date +%s)000
    fi
}

sr_sync_clock() { # ties sr_ms to the time of day
    sr_day=
    sr_clock
    sr_date=$(date -u +%s.%N)
    sr_date_part=${sr_date#*.}
    sr_date=${sr_date%%.*}
    case $sr_date_part in
        *[!0-9]* | ? | ?? | '') sr_date_part=0 ;;
        # A leading 1 keeps 089 from being read as an octal number.
        *)
            sr_date_part=1${sr_date_part%"${sr_date_part#???}"}
            sr_date_part=$((sr_date_part - 1000))
            ;;
    esac
    sr_epoch_offset=$((sr_date * 1000 + sr_date_part - sr_ms))
    sr_synced=$sr_ms
}

sr_stamp() { # sets sr_now: UTC, RFC 3339
    sr_clock
    [ $((sr_ms - sr_synced)) -lt 60000 ] || sr_sync_clock
    sr_epoch=$((sr_epoch_offset + sr_ms))
    sr_second=$((sr_epoch / 1000))
    if [ $((sr_second / 86400)) != "$sr_day" ]; then
        sr_day=$((sr_second / 86400))
        sr_civil "$sr_day"
    fi
    sr_hh=$((100 + sr_second % 86400 / 3600))
    sr_mm=$((100 + sr_second % 3600 / 60))
    sr_ss=$((100 + sr_second % 60))
    sr_fff=$((1000 + sr_epoch % 1000))
    sr_now=${sr_civil}T${sr_hh#1}:${sr_mm#1}:${sr_ss#1}.${sr_fff#1}Z
}

sr_civil() { # sets sr_civil to the date of a day since 1970; years of 400 that begin in March, so that leap days come last
    sr_z=$(($1 + 719468))
    sr_era=$((sr_z / 146097))
    sr_doe=$((sr_z % 146097))
    sr_yoe=$(((sr_doe - sr_doe / 1460 + sr_doe / 36524 - sr_doe / 146096) / 365))
    sr_doy=$((sr_doe - (365 * sr_yoe + sr_yoe / 4 - sr_yoe / 100)))
    sr_mp=$(((5 * sr_doy + 2) / 153))
    sr_dd=$((100 + sr_doy - (153 * sr_mp + 2) / 5 + 1))
    sr_mo=$((sr_mp < 10 ? sr_mp + 3 : sr_mp - 9))
    sr_yy=$((sr_yoe + sr_era * 400 + (sr_mo <= 2)))
    sr_mo=$((100 + sr_mo))
    sr_civil=$sr_yy-${sr_mo#1}-${sr_dd#1}
}

sr_seconds() { # sets sr_s to milliseconds as seconds
    sr_s=$((1000 + $1 % 1000))
    sr_s=$(($1 / 1000)).${sr_s#1}
}

# --- events --------------------------------------------------------------------------------------------------------

sr_event() { # type, further members, each with a comma before it
    sr_n=$((sr_n + 1))
    sr_stamp
    sr_line="{\"n\":$sr_n,\"nonce\":\"$sr_nonce\",\"time\":\"$sr_now\",\"attempt\":$sr_attempt,\"type\":\"$1\"${2-}}"
    printf '%s\n' "$sr_line" >&8 2>/dev/null || sr_record_failed "events.jsonl can't be written"
    if [ "$sr_stream" = stdout ]; then
        printf '\036%s\n' "$sr_line" 2>/dev/null || sr_record_failed "standard output can't be written"
    fi
}

sr_record_failed() { # the run is stopped by the main loop
    [ -n "$sr_broken" ] || sr_say "$1 (is the disk full, or the run directory not writable?)"
    sr_broken=1
}

# Keeps what is whole of the record of earlier attempts and finds its last number. A torn last line is left by a kill
# or a power cut.
sr_open_events() {
    sr_n=0
    if [ -s events.jsonl ]; then
        # shellcheck disable=SC2016
        sr_n=$(LC_ALL=C awk '
            BEGIN { printf "" > "events.jsonl.new" }
            /^\{"n":[0-9]+,.*\}$/ { n = substr($0, 6) + 0; print > "events.jsonl.new"; next }
            { torn = 1 }
            END { print n + 0, torn + 0 }' events.jsonl) || return 1
        case $sr_n in *' 1') mv -f events.jsonl.new events.jsonl || return 1 ;; esac
        rm -f events.jsonl.new
        sr_n=${sr_n% *}
        sr_end_last_line || return 1
    fi
    { printf '' >> events.jsonl; } 2>/dev/null || return 1
    exec 8>> events.jsonl
}

sr_end_last_line() { # a whole event that only lacks the line's end
    case $(tail -c 1 events.jsonl; echo .) in
        '
.') ;;
        *) printf '\n' >> events.jsonl ;;
    esac
}

# --- processes -----------------------------------------------------------------------------------------------------

sr_start_time() { # sets sr_start to the start time of a process, field 22 of its stat; 0 where that is not known
    sr_start=0
    if read -r sr_stat 2>/dev/null < "/proc/$1/stat"; then
        sr_stat_of "$sr_stat"
    fi
}

sr_stat_of() { # sets sr_proc_state, sr_pgrp and sr_start; the name in brackets may hold anything
    # shellcheck disable=SC2086
    set -- ${1##*') '}
    sr_proc_state=${1-} sr_pgrp=${3-} sr_start=${20:-0}
}

sr_signal_group() { # signal, process group: fails if there is none
    kill "-$1" "-$2" 2>/dev/null
}

# Whether a process of the group still runs. Dead ones that nobody waited for don't count: where the runner is a
# container's first process, they stay.
sr_group_lives() {
    sr_signal_group 0 "$1" || return 1
    [ -r /proc/self/stat ] || return 0
    for sr_file in /proc/[0-9]*/stat; do
        read -r sr_stat 2>/dev/null < "$sr_file" || continue
        sr_stat_of "$sr_stat"
        case $sr_pgrp$sr_proc_state in "$1"[!ZX]) return 0 ;; esac
    done
    return 1
}

sr_end_group() { # ends what is left of a group: TERM, then KILL when the grace is over
    sr_group_lives "$1" || return 0
    sr_signal_group TERM "$1" || return 0
    sr_clock
    sr_until=$((sr_ms + sr_grace))
    sr_pause=0.02
    while sr_group_lives "$1"; do
        sr_clock
        if [ "$sr_ms" -ge "$sr_until" ]; then
            sr_signal_group KILL "$1" || return 0
        fi
        sr_sleep "$sr_pause"
        case $sr_pause in 0.02) sr_pause=0.05 ;; 0.05) sr_pause=0.1 ;; *) sr_pause=0.25 ;; esac
    done
}

sr_sleep() { # some sleeps know only whole seconds
    sleep "$1" 2>/dev/null || sleep 1
}
