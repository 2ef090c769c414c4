# shellcheck shell=sh
# The service of a machine, once per boot: brings image, code and finished steps, starts the runner in a container, and carries
# what it says to the store. Settings and base.sh stand above, the cloud's part is beside it. A worker, in a process of its own,
# does one thing after the other until it has written `outcome`; the rest is for a machine that is told to go at any moment.
# shellcheck source=/dev/null
. "${0%/*}/cloud.sh"
sr_volume=${0%/boot/*}
sr_work=/stackrun/work/$STACKRUN_RUN_ID
sr_of_run=$STACKRUN_REMOTE/runs/$STACKRUN_RUN_ID

# --- what others have to know --------------------------------------------------------------------------------------

sr_status() { # phase, text for people
    sr_say "$2"
    printf '%s\n' "$1" > "$sr_run/phase"
    printf 'phase=%s\ntext=%s\n%s' "$1" "$2" "$([ ! -e "$sr_run/image" ] || cat "$sr_run/image")" > "$sr_run/pieces/status.new"
    mv "$sr_run/pieces/status.new" "$sr_run/pieces/status"
}

sr_outcome() { # exit code, reason ('': the runner has said it), message: the worker's last act
    sr_text=$(sr_one_line "$3")
    [ -z "$2" ] || sr_cry "$2" "$sr_text"
    printf 'exitCode=%s\nreason=%s\nmessage=%s\n' "$1" "$2" "$sr_text" > "$sr_run/outcome.new"
    mv "$sr_run/outcome.new" "$sr_run/outcome"
    exit 0
}

# --- containers that carry -----------------------------------------------------------------------------------------

sr_keep() { # name, user, arguments of sh: it is started again when it ends badly. While it is needed, there is a file of its name
    printf '' > "$sr_run/$1"
    (
        until sr_carrier "$@" || ! [ -e "$sr_run/$1" ]; do sleep 2; done
        rm -f "$sr_run/$1"
    ) &
}

sr_end_carrier() { # name, seconds that others need after it: it ships what is left, as long as there is time
    while [ -e "$sr_run/$1" ]; do
        if sr_is_late "$2"; then
            rm -f "$sr_run/$1"
            docker kill "stackrun-$1"
            return
        fi
        docker kill --signal TERM "stackrun-$1"
        sleep 0.3
    done > /dev/null 2>&1
}

sr_seconds() { # since the boot; sets sr_up
    sr_up=$(cut -d . -f 1 /proc/uptime)
}

sr_is_late() { # seconds that are needed
    [ -n "$sr_deadline" ] || return 1
    sr_seconds
    [ $((sr_up + $1)) -ge "$sr_deadline" ]
}

# --- the worker ----------------------------------------------------------------------------------------------------

sr_prepare() { # what an earlier boot has left
    docker rm -f stackrun-run stackrun-ship stackrun-stream stackrun-fetch > /dev/null 2>&1
    if [ -e "$sr_volume/clean" ]; then
        [ ! -d "$sr_volume/pieces" ] || cp -R "$sr_volume/pieces/." "$sr_run/pieces/"
        rm -rf "$sr_volume/clean" "$sr_volume/pieces"
        sync
    else
        # Half of what a power cut leaves may be there: all that counts is in the store.
        rm -rf "$sr_volume/work" "$sr_volume/out" "$sr_volume/pieces"
    fi
    mkdir -p "$sr_volume/work/$STACKRUN_RUN_ID" "$sr_volume/out"
    printf '' > "$sr_run/prepared"
}

sr_begin() {
    if [ -e "$sr_run/pieces/last" ] || [ -n "$(ls "$sr_volume/out")" ]; then
        sr_say 'shipping what could not be shipped before'
        sr_said=$(sr_carrier fetch 0:0 /stackrun/boot/stream.sh rest "$sr_remote" /stackrun/out /stackrun/pieces 2>&1) ||
            sr_outcome 69 ArtifactStoreFailed "$sr_said"
    fi
    sr_boot=$(sr_carrier fetch 0:0 /stackrun/boot/stream.sh begin "$sr_remote" "$(uname -n)" \
        "$(cat /proc/sys/kernel/random/boot_id)" 2> "$sr_run/said") ||
        sr_outcome 69 ArtifactStoreFailed "$(cat "$sr_run/said")"
    if [ "$sr_boot" = over ]; then
        sr_say 'the attempt has ended already'
        printf '' > "$sr_run/over"
        exit 0
    fi
    printf '%s\n' "$sr_boot" > "$sr_run/number"
    sr_keep stream 0:0 /stackrun/boot/stream.sh watch "$sr_remote" /stackrun/out /stackrun/pieces "$sr_boot"
}

sr_get_image() { # sets sr_id and sr_image
    sr_status pulling "pulling $STACKRUN_IMAGE"
    # A name may stand for another image by now: the run goes on with what it has begun with.
    if ! { read -r sr_id sr_image < "$sr_volume/image" && docker image inspect "$sr_id"; } > /dev/null 2>&1; then
        sr_try "pulling $STACKRUN_IMAGE" sr_pull "$STACKRUN_IMAGE" ||
            sr_outcome 64 ImagePullFailed "the image $STACKRUN_IMAGE can't be pulled: $sr_said"
        sr_id=$(docker image inspect --format '{{.Id}}' "$STACKRUN_IMAGE")
        sr_image=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$STACKRUN_IMAGE" | head -n 1)
        sr_image=${sr_image:-$sr_id}
        # Layers that a power cut has emptied would look whole.
        sync
        printf '%s %s\n' "$sr_id" "$sr_image" > "$sr_volume/image"
    fi
    printf 'image=%s\n' "$sr_image" > "$sr_run/image"
}

sr_choose_user() { # of what steps leave: sets sr_user, which is a number
    sr_user=$STACKRUN_USER
    if [ -z "$sr_user" ]; then
        # shellcheck disable=SC2016
        sr_user=$(docker run --rm --network none --log-driver none --entrypoint /bin/sh "$sr_id" -c 'echo "$(id -u):$(id -g)"' 2> "$sr_run/said") ||
            sr_outcome 127 ImageUnusable "the container can't be started: $(cat "$sr_run/said"). The image needs /bin/sh."
    fi
    chown "$sr_user" "$sr_volume/work" "$sr_volume/work/$STACKRUN_RUN_ID" "$sr_volume/out" ||
        sr_outcome 64 ImageUnusable "the image's user, $sr_user, is no number"
}

sr_fetch() {
    sr_status fetching 'bringing the code and the finished steps'
    # shellcheck disable=SC2016
    sr_said=$(sr_carrier fetch "$sr_user" -c '{ [ -z "$2" ] || sh "$0" code "$1" "$2" "$4/code"; } && exec sh "$0" restore "$3" "$4"' \
        /stackrun/boot/ship.sh "$STACKRUN_REMOTE" "$STACKRUN_CODE_HASH" "$sr_of_run" "$sr_work" 2>&1)
    sr_code=$?
    case $sr_code in
        0) ;;
        65) sr_outcome 65 RecordFailed "$sr_said" ;;
        69) sr_outcome 69 ArtifactStoreFailed "$sr_said" ;;
        70) sr_outcome 70 BundleFetchFailed "$sr_said" ;;
        *) sr_outcome 64 ImageUnusable "what fetches the code can't be started ($STACKRUN_TRANSFER_IMAGE, exit code $sr_code): $sr_said" ;;
    esac
}

sr_get_secrets() { # as assignments, in memory
    mkdir -p "$sr_run/secrets"
    chmod 700 "$sr_run/secrets"
    printf '' > "$sr_run/secrets/env"
    while IFS='=' read -r sr_name sr_resource; do
        [ -n "$sr_name" ] || continue
        sr_try "the secret $sr_resource" sr_write_secret "$sr_resource" ||
            sr_outcome 64 SecretAccessFailed "the secret $sr_resource can't be read: $sr_said"
        { printf "export %s='" "$sr_name" && sed "s/'/'\\\\''/g" "$sr_run/value" && printf "'\n"; } >> "$sr_run/secrets/env"
        rm -f "$sr_run/value"
    done << end
$STACKRUN_SECRETS
end
    chown -R "$sr_user" "$sr_run/secrets"
}

sr_write_secret() {
    (umask 077 && sr_cloud_secret "$1" > "$sr_run/value")
}

# What is said beside them is no option.
sr_write_gpus() {
    sr_cloud_gpus > "$sr_run/gpus"
}

sr_start() {
    sr_keep ship "$sr_user" /stackrun/boot/ship.sh watch "$sr_of_run" "$sr_work"
    set --
    [ -z "$STACKRUN_USER" ] || set -- "$@" --user "$STACKRUN_USER" -e HOME=/tmp
    [ -z "$STACKRUN_SHM" ] || set -- "$@" --shm-size "$STACKRUN_SHM"
    if [ -n "$STACKRUN_GPUS" ]; then
        sr_try 'making the GPUs ready' sr_write_gpus || sr_outcome 64 MachineUnusable "the GPU's driver is not there: $sr_said"
        while IFS= read -r sr_word; do set -- "$@" "$sr_word"; done < "$sr_run/gpus"
    fi
    sr_status running "running in $sr_image"
    # In this order, one of the two sees the other: here is where the other one looks at the phase.
    [ ! -e "$sr_run/told" ] || exit 0
    # shellcheck disable=SC2016
    docker run -d --name stackrun-run --network host --log-driver json-file --log-opt max-size=1m \
        -v "$sr_volume/boot:/stackrun/boot:ro" -v "$sr_volume/work:/stackrun/work" -v "$sr_volume/out:/stackrun/out" \
        -v "$sr_run/secrets:/stackrun/secrets" -e STACKRUN_BOOT=/stackrun/boot -e STACKRUN_SECRETS=/stackrun/secrets/env \
        "$@" --entrypoint /bin/sh "$sr_id" -c 'exec /bin/sh "$0" "$1" >> "$2"' \
        /stackrun/boot/launcher.sh "$sr_work" "/stackrun/out/$sr_boot" > "$sr_run/said" 2>&1
    sr_code=$?
    [ "$sr_code" -eq 0 ] ||
        sr_outcome "$sr_code" ImageUnusable "the container can't be started: $(cat "$sr_run/said"). The image needs /bin/sh."
}

sr_await() { # sets sr_code
    until sr_code=$(docker wait stackrun-run 2> "$sr_run/said"); do
        # Docker itself may have been started again.
        docker version > /dev/null 2>&1 && ! docker inspect stackrun-run > /dev/null 2>&1 &&
            sr_outcome 137 RunnerKilled "the run's container is gone: $(cat "$sr_run/said")"
        sleep 1
    done
}

sr_judge() {
    if tail -n 3 "$sr_volume/out/$sr_boot" 2>/dev/null | grep -F "\"nonce\":\"$STACKRUN_NONCE\"" | grep -qF '"type":"run.finished"'; then
        [ "$sr_code" -ne 68 ] || exit 0
        sr_outcome "$sr_code" '' ''
    fi
    sr_words=$(sr_one_line "$(docker logs --tail 5 stackrun-run 2>&1)")
    sr_words=${sr_words:-it said nothing}
    if [ "$(docker inspect --format '{{.State.OOMKilled}}' stackrun-run)" = true ]; then
        sr_outcome "$sr_code" OutOfMemory "the container was ended for want of memory: $sr_words"
    fi
    case $sr_code in
        0 | 1 | 66 | 67) sr_outcome "$sr_code" '' "$sr_words" ;;
        64 | 126 | 127) sr_outcome "$sr_code" ImageUnusable "$sr_words" ;;
        65) sr_outcome 65 RecordFailed "$sr_words" ;;
        69) sr_outcome 69 ArtifactStoreFailed "$sr_words" ;;
        68) exit 0 ;;
        # Killed because its time to end was over.
        *) [ ! -e "$sr_run/told" ] || exit 0 ;;
    esac
    sr_outcome "$sr_code" RunnerKilled "the container has ended with exit code $sr_code, and without a word of the runner: $sr_words"
}
