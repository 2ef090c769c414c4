#!/bin/sh
# Brings what a machine says to the artifact store, with rclone. REMOTE: where all of the attempt lies.
#   sh stream.sh begin REMOTE MACHINE BOOT   prints the number of this boot, or `over` where the attempt has ended
#   sh stream.sh watch REMOTE OUT DIR N      ships OUT/N in pieces of whole lines, and signs of life; TERM: the rest, and the end
#   sh stream.sh rest REMOTE OUT DIR         ships what an earlier boot has left
# What is being shipped lies in DIR. A piece is cut once, and tried under the same name until the store has it: nothing is lost
# or doubled when an answer is. DIR/status is part of each sign of life, DIR/last is put last: a line with its name, and itself.
# Exit code 69: the store can't be reached.
set -u
export LC_ALL=C
export RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES="${RCLONE_LOW_LEVEL_RETRIES:-3}"
export RCLONE_CONTIMEOUT="${RCLONE_CONTIMEOUT:-5s}" RCLONE_TIMEOUT="${RCLONE_TIMEOUT:-60s}"
sr_most=${STACKRUN_PIECE_BYTES:-1048576}
sr_beat_every=${STACKRUN_BEAT_SECONDS:-8}

sr_warn() {
    printf 'stackrun: %s\n' "$1" >&2
}

sr_nap() { # seconds: a signal ends it
    [ -z "$sr_ending" ] || [ "$1" -le 1 ] || set -- 1
    sleep "$1" &
    wait $!
}

sr_store() { # rclone's arguments: sets sr_said to its output, or to what went wrong
    sr_said=$(rclone --config '' "$@" 2>&1) && return
    sr_rc=$?
    sr_said=$(printf '%s\n' "$sr_said" | sed -e 's/^[0-9/]* [0-9:]* *//' -e '/^NOTICE/d' -e '/^$/d' | tail -n 2 | tr '\n' ' ')
    sr_said=${sr_said% }
    [ -n "$sr_said" ] || sr_said="rclone has ended with exit code $sr_rc"
    return "$sr_rc"
}

sr_list() { # folder, relative to the attempt's
    sr_store lsf --files-only "$sr_remote$1" && return
    # There is no such folder.
    [ "$sr_rc" = 3 ] || return "$sr_rc"
    sr_said=
}

sr_put() { # file, name
    sr_store copyto --no-check-dest --no-traverse "$1" "$sr_remote/$2"
}

sr_surely() { # tries ('': for ever), command …
    sr_tries=$1 sr_try=1 sr_pause=1
    shift
    until "$@"; do
        [ -z "$sr_tries" ] || [ "$sr_try" -lt "$sr_tries" ] || return 1
        case $sr_try in 1 | *0) sr_warn "the artifact store can't be reached: $sr_said" ;; esac
        sr_nap "$sr_pause"
        sr_try=$((sr_try + 1)) sr_pause=$((sr_pause * 2))
        [ "$sr_pause" -le 15 ] || sr_pause=15
    done
    [ "$sr_try" -eq 1 ] || sr_warn 'the artifact store is there again'
}

sr_needed() { # command …
    sr_surely "${STACKRUN_SHIP_TRIES:-8}" "$@" && return
    sr_warn "the artifact store can't be reached: $sr_said"
    exit 69
}

# --- a boot begins -------------------------------------------------------------------------------------------------

sr_begin() { # machine, boot
    sr_needed sr_list ''
    sr_ended=$(printf '%s\n' "$sr_said" | grep -x -e end -e cancel)
    case $sr_ended in
        '') ;;
        *end*)
            echo over
            return
            ;;
        *)
            sr_put_text end 'exitCode=67\nreason=Cancelled\nmessage=the run was cancelled\n'
            echo over
            return
            ;;
    esac
    sr_needed sr_list /machines
    sr_highest=$(printf '%s\n' "$sr_said" | grep -x '[0-9]\{6\}' | sort | tail -n 1)
    # A leading 1 keeps 000009 from being read as an octal number.
    sr_number=$((1${sr_highest:-000000} + 1))
    sr_number=${sr_number#1}
    sr_put_text "machines/$sr_number" "machine=$1\nboot=$2\ntime=$(date -u +%Y-%m-%dT%H:%M:%SZ)\n"
    echo "$sr_number"
}

sr_put_text() { # name, text for printf
    sr_file=$(mktemp)
    # shellcheck disable=SC2059
    printf "$2" > "$sr_file"
    sr_needed sr_put "$sr_file" "$1"
    rm -f "$sr_file"
}

# --- pieces --------------------------------------------------------------------------------------------------------

sr_open() { # number: its stream on descriptor 3, behind what is shipped already
    sr_boot=$1 sr_piece=1 sr_at=0
    [ ! -s "sent-$1" ] || read -r sr_piece sr_at < "sent-$1"
    sr_name_piece
    # Cut, and perhaps in the store already, when this was killed: it must go there as it is.
    [ ! -e "$sr_file" ] || sr_ship
    exec 3< "$sr_out/$1"
    [ "$sr_at" -lt 65536 ] || dd bs=65536 count=$((sr_at / 65536)) <&3 > /dev/null 2>&1
    [ $((sr_at % 65536)) -eq 0 ] || dd bs=$((sr_at % 65536)) count=1 <&3 > /dev/null 2>&1
    printf '' > raw
}

sr_name_piece() {
    sr_name=$(printf '%s-%08d' "$sr_boot" "$sr_piece")
    sr_file=piece-$sr_name
}

sr_size_of() {
    sr_size=$(wc -c < "$1")
    sr_size=$((sr_size))
}

sr_cut() { # makes the next piece, of whole lines; fails if there is none. sr_all: an unfinished last line goes along
    sr_size_of raw
    [ "$sr_size" -ge "$sr_most" ] || dd bs=$((sr_most - sr_size)) count=1 <&3 2>/dev/null >> raw
    sr_size_of raw
    [ "$sr_size" -gt 0 ] || return 1
    sr_open_line=0
    if [ "$(tail -c 1 raw | tr -d '\n' | wc -c)" -gt 0 ] && { [ "$sr_size" -ge "$sr_most" ] || [ -z "$sr_all" ]; }; then
        sr_open_line=$(tail -n 1 raw | wc -c)
        sr_open_line=$((sr_open_line))
    fi
    if [ "$sr_open_line" -eq "$sr_size" ]; then
        # One line is longer than a piece, or has only begun.
        [ "$sr_size" -ge "$sr_most" ] || return 1
        sr_open_line=0
    fi
    if [ "$sr_open_line" -eq 0 ]; then
        mv raw "$sr_file" && printf '' > raw
    else
        head -c $((sr_size - sr_open_line)) raw > cut.new && tail -c "$sr_open_line" raw > raw.new && mv raw.new raw && mv cut.new "$sr_file"
    fi
}

sr_ship() { # the piece that is cut
    sr_surely '' sr_put "$sr_file" "stream/$sr_name"
    sr_size_of "$sr_file"
    sr_piece=$((sr_piece + 1)) sr_at=$((sr_at + sr_size))
    printf '%s %s\n' "$sr_piece" "$sr_at" > sent.new && mv sent.new "sent-$sr_boot"
    rm -f "$sr_file"
    sr_name_piece
}

sr_ship_all() {
    while sr_cut; do
        sr_ship
        sr_beat
    done
}

sr_forget() { # number: all of it is shipped
    exec 3<&-
    rm -f "$sr_out/$1" "sent-$1" raw
}

sr_put_last() {
    [ -e last ] || return 0
    read -r sr_name < last
    sed 1d last > last.text
    sr_surely '' sr_put last.text "$sr_name"
    rm -f last last.text
}

# --- watching ------------------------------------------------------------------------------------------------------

sr_beat() { # when it is due, or the status has changed; one that is lost is followed by the next one
    # Seconds since the machine's boot, and hundredths: a number that rises.
    sr_up=$(cut -d ' ' -f 1 /proc/uptime)
    sr_now=$(cat status 2>/dev/null)
    [ "$sr_now" != "$sr_told" ] || [ "${sr_up%.*}" -ge "$sr_due" ] || return 0
    printf 'generation=%s\ncount=%s%s\n%s\n' "$sr_boot" "${sr_up%.*}" "${sr_up#*.}" "$sr_now" > beat
    if sr_put beat beat; then
        sr_told=$sr_now sr_due=$((${sr_up%.*} + sr_beat_every))
    fi
}

sr_watch() { # number
    trap 'sr_ending=1' TERM INT HUP
    sr_boot=$1 sr_told='' sr_due=0
    until [ -n "$sr_ending" ] || [ -e "$sr_out/$1" ]; do
        sr_beat
        sr_nap 1
    done
    if [ -e "$sr_out/$1" ]; then
        sr_open "$1"
        while :; do
            # All was looked at after the signal.
            sr_all=$sr_ending
            sr_ship_all
            [ -z "$sr_all" ] || break
            sr_beat
            [ -n "$sr_ending" ] || sr_nap 1
        done
        sr_forget "$1"
    fi
    sr_beat
    sr_put_last
}

sr_rest() {
    sr_all=1 sr_told='' sr_due=0
    sr_needed sr_list ''
    for sr_left in "$sr_out"/*; do
        [ -e "$sr_left" ] || continue
        sr_open "${sr_left##*/}"
        while sr_cut; do sr_ship; done
        sr_forget "${sr_left##*/}"
    done
    sr_put_last
}

sr_remote=$2 sr_ending=''
case $1 in
    begin) sr_begin "$3" "$4" ;;
    watch | rest)
        sr_out=$3
        cd "$4" || exit 65
        "sr_$1" "${5-}"
        ;;
    *) exit 64 ;;
esac
