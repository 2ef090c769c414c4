#!/bin/sh
# Carries code and finished steps between a machine and the artifact store, with rclone.
#   sh ship.sh code STORE HASH DIR      STORE/bundles/HASH.tar.gz becomes DIR; once: DIR.hash says so
#   sh ship.sh restore REMOTE RUNDIR    brings back the finished steps of REMOTE/steps that RUNDIR does not have
#   sh ship.sh watch REMOTE RUNDIR      stores each step that has ended well, once; TERM: also the last of them, then the end
# A step is stored as outputs/, log, metrics, modes (what a store does not keep of a tree) and, when all that is there,
# status: without it there is no step.
# rclone's own variables may say more: RCLONE_BWLIMIT, RCLONE_TRANSFERS, RCLONE_CONTIMEOUT.
#   STACKRUN_SHIP_TRIES   how often something is tried before it has failed: 5
#   STACKRUN_SHIP_SHARED  set: others than this user work with what it brings
# Exit codes: those of the runner, see RUNNER_EXIT in src/run/events.ts.
set -u
export LC_ALL=C
sr_tries=${STACKRUN_SHIP_TRIES:-5}
sr_user=$(id -u 2>/dev/null)
# Beside the tries here, rclone must not have too many of its own: they would multiply.
export RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES="${RCLONE_LOW_LEVEL_RETRIES:-3}"
export RCLONE_CONTIMEOUT="${RCLONE_CONTIMEOUT:-5s}" RCLONE_TIMEOUT="${RCLONE_TIMEOUT:-60s}"
if [ -n "${STACKRUN_SHIP_SHARED-}" ]; then umask 0; else umask 022; fi

sr_warn() {
    printf 'stackrun: %s\n' "$1" >&2
}

sr_die() { # exit code, message
    sr_warn "$2"
    printf '%s\n' "$2" 2>/dev/null > "${STACKRUN_TERMINATION_LOG:-/dev/termination-log}" || :
    exit "$1"
}

sr_rclone() { # rclone's arguments: tries again; sr_said is what it said at last. Its output goes to the file sr_to.
    sr_try=1 sr_pause=1
    while :; do
        sr_said=$(rclone --config '' "$@" 2>&1 > "$sr_to") && return 0
        sr_rc=$?
        # 3 and 4: there is no such folder, no such file.
        case $sr_rc in 3 | 4) break ;; esac
        [ "$sr_try" -lt "$sr_tries" ] || break
        sleep "$sr_pause"
        sr_try=$((sr_try + 1)) sr_pause=$((sr_pause * 2))
    done
    sr_said=$(printf '%s\n' "$sr_said" | sed -e 's/^[0-9/]* [0-9:]* *//' -e '/^NOTICE/d' -e '/^$/d' | tail -n 3 | tr '\n' ' ')
    sr_said=${sr_said% }
    # One that is killed says nothing.
    [ -n "$sr_said" ] || sr_said="rclone has ended with exit code $sr_rc"
    return "$sr_rc"
}

sr_remove() { # a tree, in which folders may be read-only
    [ ! -e "$1" ] || chmod -R u+rwX "$1" 2>/dev/null
    rm -rf "$1"
}

sr_code() { # store, hash, folder
    [ "$(cat "$3.hash" 2>/dev/null)" != "$2" ] || return 0
    { mkdir -p "${3%/*}" && sr_remove "$3" && sr_remove "$3.new" && rm -f "$3.hash" && mkdir "$3.new"; } ||
        sr_die 65 "${3%/*} can't be written by user $sr_user"
    sr_remove "$3.tar.gz"
    sr_rclone copyto "$1/bundles/$2.tar.gz" "$3.tar.gz" ||
        sr_die 70 "the code bundles/$2.tar.gz can't be fetched from the artifact store: $sr_said"
    # In a bucket, what is not there is nothing to do for rclone, and no error.
    [ -f "$3.tar.gz" ] || sr_die 70 "the code bundles/$2.tar.gz can't be fetched from the artifact store: not found"
    # No owners but this one, whoever it is.
    tar -xzof "$3.tar.gz" -C "$3.new" || sr_die 65 "the code can't be unpacked into $3: is the disk full?"
    [ -z "${STACKRUN_SHIP_SHARED-}" ] || chmod -R a+rwX "$3.new"
    { rm -f "$3.tar.gz" && mv "$3.new" "$3" && printf '%s\n' "$2" > "$3.hash"; } || sr_die 65 "${3%/*} can't be written"
}

# --- back ----------------------------------------------------------------------------------------------------------

sr_restore() {
    { mkdir -p steps && sr_remove .restored && rm -f steps/*/unshipped && printf 'begun\n' > .begun; } ||
        sr_die 65 "$sr_dir can't be written by user $sr_user"
    # Before hours of work: whether what they bring can be stored.
    sr_rclone copyto .begun "$sr_remote/machines/$(date -u +%Y%m%dT%H%M%SZ)-$(uname -n)" ||
        sr_die 69 "the artifact store can't be written: $sr_said"
    sr_to=.stored
    sr_rclone lsf -R --max-depth 2 --files-only --include '/*/status' "$sr_remote/steps" || [ "$sr_rc" = 3 ] ||
        sr_die 69 "the artifact store can't be listed: $sr_said"
    sr_to=/dev/null
    while IFS=/ read -r sr_name sr_word; do
        sr_has_ended "$sr_name" || sr_bring "$sr_name"
    done < .stored
    sr_remove .restored
    rm -f .begun
}

sr_has_ended() { # a step: well
    sr_word=
    [ ! -e "steps/$1/status" ] || read -r sr_word < "steps/$1/status"
    [ "${sr_word%% *}" = succeeded ]
}

sr_bring() { # a step: as a whole, or not at all
    { sr_remove .restored && mkdir -p .restored/inputs .restored/outputs; } ||
        sr_die 65 "$sr_dir can't be written by user $sr_user"
    sr_rclone copy --links "$sr_remote/steps/$1" .restored ||
        sr_die 69 "step \"$1\" can't be brought back from the artifact store: $sr_said"
    read -r sr_word < .restored/status
    # Of which somebody, or a rule of the bucket, has taken a part: it runs again.
    [ "${sr_word%% *}" = succeeded ] && (cd .restored && sr_is_whole) || return 0
    { printf '' > .restored/shipped && sr_remove "steps/$1" && mv .restored "steps/$1"; } ||
        sr_die 65 "$sr_dir can't be written by user $sr_user"
}

sr_is_whole() { # the step in this folder; it gets its modes, for which each file that is listed has to be there
    [ -f log ] && [ -f metrics ] && [ -s modes ] && awk "$sr_apply_modes" modes > modes.sh && sh modes.sh && rm modes.sh
} 2>/dev/null

# Lines of `modes` are MODE//PATH, with a slash at the end of a folder's, and l//PATH for a link; no path has // in it, but
# some have line ends.
# shellcheck disable=SC2016
sr_apply_modes='
/^(l|[0-7]+)\/\/outputs/ { at = index($0, "/"); mode[++n] = substr($0, 1, at - 1); name[n] = substr($0, at + 2); next }
{ name[n] = name[n] "\n" $0 }
function quoted(text) { gsub(/\047/, "\047\"\047\"\047", text); return "\047" text "\047" }
END {
    print "set -e"
    for (i = 1; i <= n; i++) if (name[i] ~ /\/$/) print "mkdir -p " quoted(name[i])
    # From the last to the first: the content of a folder before the folder, which may become read-only.
    for (i = n; i > 0; i--) {
        if (mode[i] == "l") { printf "\n[ -L %s ]", quoted(name[i]); last = ""; continue }
        if (mode[i] != last || ++count > 100) { printf "\nchmod %s", last = mode[i]; count = 0 }
        printf " %s", quoted(name[i])
    }
    print ""
}'

# --- away ----------------------------------------------------------------------------------------------------------

sr_watch() {
    sr_ending='' sr_under_way=' ' sr_beat=0
    trap 'sr_ending=1' TERM INT
    while :; do
        # Tells the runner that somebody is here.
        sr_beat=$((sr_beat + 1))
        echo "$sr_beat" 2>/dev/null > ship.beat
        sr_last=$sr_ending
        sr_left=
        for sr_file in steps/*/status; do
            sr_name=${sr_file%/status}
            sr_name=${sr_name#steps/}
            if [ ! -e "steps/$sr_name/shipped" ] && [ ! -e "steps/$sr_name/unshipped" ] && sr_has_ended "$sr_name"; then
                sr_left=1
                sr_ship_once "$sr_name"
            fi
        done
        # All was looked at after the signal.
        [ -z "$sr_last" ] || [ -n "$sr_left" ] || exit 0
        sleep 0.2 2>/dev/null || sleep 1
    done
}

sr_ship_once() { # a step: some at a time, each in a process of its own
    case $sr_under_way in *" $1:"*)
        sr_pid=${sr_under_way#*" $1:"}
        sr_pid=${sr_pid%% *}
        ! kill -0 "$sr_pid" 2>/dev/null || return 0
        # Ended just now, or killed.
        sr_forget "$1:$sr_pid"
        return
        ;;
    esac
    sr_count=0
    for sr_word in $sr_under_way; do
        if kill -0 "${sr_word#*:}" 2>/dev/null; then sr_count=$((sr_count + 1)); else sr_forget "$sr_word"; fi
    done
    [ "$sr_count" -lt 4 ] || return 0
    (
        trap '' TERM INT
        sr_ship "$1"
    ) &
    sr_under_way="$sr_under_way$1:$! "
}

sr_forget() {
    sr_under_way="${sr_under_way%%" $1 "*} ${sr_under_way#*" $1 "}"
}

sr_ship() { # a step
    cd "steps/$1" || exit
    if sr_ship_parts "$1"; then
        printf '' > shipped
    else
        sr_warn "step \"$1\" is not in the artifact store: $sr_said"
        printf '%s\n' "$sr_said" > unshipped.new
        mv -f unshipped.new unshipped
    fi
}

sr_ship_parts() {
    sr_word=$(find outputs -type f -name '*.rclonelink' | head -n 1)
    if [ -n "$sr_word" ]; then
        sr_said="$sr_word has a name that rclone keeps for links"
        return 1
    fi
    sr_said=$(
        exec 2>&1 > modes.new
        find outputs -type d -exec stat -c '%a//%n/' {} + && find outputs -type f -exec stat -c '%a//%n' {} + &&
            find outputs -type l -exec stat -c 'l//%n' {} +
    ) && sr_said=$(mv -f modes.new modes 2>&1) && sr_make_undone "$1" || return 1
    # Of an earlier machine there may be a part of what another run of the step has left.
    sr_rclone sync --links --checksum --filter '+ /outputs/**' --filter '+ /log' --filter '+ /metrics' --filter '+ /modes' \
        --filter '- *' . "$sr_remote/steps/$1" &&
        sr_rclone copyto status "$sr_remote/steps/$1/status"
}

sr_make_undone() { # a step that `restore` has seen: half old, half new, it must not count
    awk -v status="$1/status" '$0 == status { found = 1 } END { exit !found }' ../../.stored 2>/dev/null || return 0
    sr_rclone delete --max-depth 1 --include /status "$sr_remote/steps/$1" || [ "$sr_rc" = 3 ]
}

for sr_word in rclone awk find sed stat tail tar; do
    command -v "$sr_word" > /dev/null 2>&1 || sr_die 64 "this machine or image lacks the tool $sr_word, which the artifact store needs"
done
sr_to=/dev/null
case ${1-} in
    code) sr_code "$2" "$3" "${4%/}" ;;
    restore | watch)
        sr_remote=$2 sr_dir=$3
        { mkdir -p "$sr_dir" && cd "$sr_dir"; } || sr_die 65 "the folder of the run, $sr_dir, can't be made by user $sr_user"
        "sr_$1"
        ;;
    *) sr_die 64 'usage: sh ship.sh code STORE HASH DIR, or restore or watch REMOTE RUNDIR' ;;
esac
