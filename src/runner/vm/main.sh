# shellcheck shell=sh
# The service itself: waits for the worker, or for the word that the machine goes, and ends everything in order.

sr_work_on() {
    sr_prepare
    sr_begin
    sr_get_image
    sr_choose_user
    sr_fetch
    sr_get_secrets
    sr_start
    sr_await
    sr_judge
}

sr_on_told() { # why
    [ "$1" = preempted ] || sr_shutdown=1
    [ -z "$sr_told" ] || return 0
    sr_told=$1
    printf '' > "$sr_run/told"
    # A Spot machine has 30 s, others have more.
    sr_seconds
    sr_deadline=$((sr_up + 100))
    [ -z "$STACKRUN_SPOT" ] || sr_deadline=$((sr_up + 26))
}

sr_stop_worker() { # the run's container has its time to end its steps, and the runner a little more
    sr_limit=80
    [ -z "$STACKRUN_SPOT" ] || sr_limit=15
    [ "$STACKRUN_GRACE_SECONDS" -gt "$sr_limit" ] || sr_limit=$STACKRUN_GRACE_SECONDS
    sr_phase=$(cat "$sr_run/phase" 2>/dev/null)
    sr_status leaving "the machine is told to end ($sr_told)"
    if [ "$sr_phase" != running ]; then
        kill "$sr_worker" 2>/dev/null
        docker kill stackrun-fetch > /dev/null 2>&1
        return
    fi
    while kill -0 "$sr_worker" 2>/dev/null && ! sr_is_late 6; do
        docker stop -t $((sr_limit + 3)) stackrun-run > /dev/null 2>&1
        sleep 0.2
    done
    kill "$sr_worker" 2>/dev/null
}

sr_last_word() { # what the store gets when all else is there
    if [ -e "$sr_run/outcome" ]; then
        printf 'end\n'
        cat "$sr_run/outcome"
    elif [ -e "$sr_run/number" ]; then
        printf 'machines/%s.left\nwhy=%s\n' "$(cat "$sr_run/number")" "${sr_told:-stopped}"
    fi
}

sr_end() {
    sr_last_word > "$sr_run/last"
    [ ! -s "$sr_run/last" ] || mv "$sr_run/last" "$sr_run/pieces/last"
    sr_end_carrier ship 6
    sr_end_carrier stream 0
    # Not shipped: the next boot does it.
    [ ! -e "$sr_run/pieces/last" ] || cp -R "$sr_run/pieces" "$sr_volume/pieces"
    [ ! -e "$sr_run/prepared" ] || printf '' > "$sr_volume/clean"
    sync
}

sr_main() {
    umask 022
    (cd "$sr_run" && rm -rf told phase outcome number over prepared stream ship secrets pieces last image && mkdir pieces)
    sr_told='' sr_shutdown='' sr_deadline='' sr_notice=''
    trap 'sr_on_told stopped' TERM INT HUP
    trap 'sr_on_told preempted' USR1
    if [ -n "$STACKRUN_SPOT" ]; then
        (sr_cloud_notice && kill -USR1 $$) &
        sr_notice=$!
    fi
    (sr_work_on) &
    sr_worker=$!
    while [ -z "$sr_told" ] && kill -0 "$sr_worker" 2>/dev/null; do wait "$sr_worker"; done
    if [ -n "$sr_told" ]; then
        if [ -n "$STACKRUN_SPOT" ] && [ "$sr_told" = stopped ] && sr_cloud_taken; then sr_told=preempted; fi
        sr_stop_worker
    elif ! [ -e "$sr_run/over" ]; then
        sr_status ending 'the run has ended'
    fi
    sr_reached=$([ -e "$sr_run/stream" ] && echo 1)
    # A store that does not come back would keep the machine, and its cost, for days.
    sr_seconds
    [ -n "$sr_told" ] || sr_deadline=$((sr_up + ${STACKRUN_SHIP_SECONDS:-3600}))
    sr_end
    [ -z "$sr_notice" ] || kill "$sr_notice" 2>/dev/null
    sr_go
}

sr_go() {
    if [ -n "$sr_told" ]; then
        # Who is told beforehand is switched off a little later; and if not, nobody needs it any more.
        sr_seconds
        sr_deadline=$((sr_up + 100))
        until [ -n "$sr_shutdown" ] || sr_is_late 0; do sleep 1; done
    elif [ -z "$sr_reached" ] && [ -e "$sr_run/outcome" ]; then
        # Not every cloud shows the console of a machine that is off.
        sleep "${STACKRUN_LINGER_SECONDS:-60}"
    fi
    [ -n "$sr_shutdown" ] || sr_cloud_off
}

sr_main
