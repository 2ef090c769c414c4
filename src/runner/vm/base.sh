# shellcheck shell=sh
# The ground of boot.sh and vm.sh: messages, trying again, and the containers that carry things to and from the store.
set -u
export LC_ALL=C
# In memory: settings, secrets, what this boot knows, and what is being shipped, so that a full disk does not stop that.
sr_run=${STACKRUN_MACHINE_DIR:-/run/stackrun}
# A boot disk may have a read-only home; and a registry's token need not outlive the boot.
export DOCKER_CONFIG="$sr_run/docker"
# Below it lies all of this attempt.
sr_remote=$STACKRUN_REMOTE/runs/$STACKRUN_RUN_ID/attempts/$STACKRUN_ATTEMPT

sr_say() {
    printf 'stackrun: %s\n' "$1"
}

# For who follows the run, where the store can't be reached: on the serial console, and not to be forged by a step.
sr_cry() { # reason, message
    printf 'stackrun %s %s: %s\n' "$STACKRUN_NONCE" "$1" "$2"
}

sr_one_line() { # the last of what stands in a text
    printf '%s\n' "$1" | tr '\r\t' '\n ' | sed -e 's/^stackrun: //' -e '/^ *$/d' | tail -n 3 | tr '\n' ' ' | cut -c 1-1000 | sed 's/ *$//'
}

# Rights that were just given take a minute or two to be known everywhere.
sr_try() { # what for, command …: tries again; sr_said is what it said at last
    sr_what=$1 sr_try=1 sr_pause=1
    shift
    until sr_said=$("$@" 2>&1); do
        sr_said=$(sr_one_line "$sr_said")
        # No time will bring an image that is not there.
        case $sr_said in *'manifest unknown'* | *'manifest for '*' not found'* | *'invalid reference format'*) return 1 ;; esac
        [ "$sr_try" -lt "${STACKRUN_TRIES:-8}" ] || return 1
        sr_say "$sr_what: $sr_said; the next try is in $sr_pause s"
        sleep "$sr_pause"
        sr_try=$((sr_try + 1)) sr_pause=$((sr_pause * 2))
        [ "$sr_pause" -le 30 ] || sr_pause=30
    done
}

sr_pull() { # image
    sr_cloud_login "$1" && docker pull --quiet "$1"
}

sr_carrier() { # name, user, arguments of sh: a container of the transfer image, with the volume at /stackrun
    sr_name=$1 sr_as=$2
    shift 2
    docker run --rm --name "stackrun-$sr_name" --user "$sr_as" --network host --log-driver none \
        --env-file "$sr_run/carrier.env" -v stackrun:/stackrun -v "$sr_run/pieces:/stackrun/pieces" \
        --entrypoint /bin/sh "$STACKRUN_TRANSFER_IMAGE" "$@"
}
