# shellcheck shell=sh
# What becomes of a step's output: every line, with secret values masked, goes to the step's log and, after the
# step's name and a tab, to standard output; at once, one write for each.
#
# awk does it. Secret values reach it by its environment only. Not every awk can do all of it alone:
#   gawk     can; NUL is replaced here as by the others
#   mawk     reads at once only with -W interactive, then stops at NUL and is slow with very long lines. GNU sed before it
#            replaces NUL and breaks long lines into pieces of sr_chop bytes, which are joined again here. stdbuf makes sed
#            write each line at once; its own -u would read byte by byte.
#   busybox  awk stops at NUL: busybox tr, which writes at once, replaces it
# Where neither is there, a line that holds NUL ends at it.
# The end of a step's output is a line of its own (sr_mark) and not the end of the pipe, because a daemon that the step
# started in a session of its own may keep that open for ever.

sr_chop=1000

sr_choose_filter() {
    sr_awk_kind=other
    case $(awk -W version < /dev/null 2>&1) in
        mawk*) sr_awk_kind=mawk ;;
        'GNU Awk'*) sr_awk_kind=gawk ;;
        *BusyBox*) sr_awk_kind=busybox ;;
    esac
    sr_before=
    [ "$sr_awk_kind" != gawk ] || return 0
    if command -v stdbuf > /dev/null 2>&1 && [ "$({ printf 'a\000b\n' | sr_sed_before; } 2>/dev/null)" = 'a?b' ]; then
        sr_before='sed'
    else
        case $(tr --help 2>&1 < /dev/null) in *BusyBox*) sr_before='tr' ;; esac
    fi
}

sr_sed_before() {
    # shellcheck disable=SC2030,SC2031
    export LC_ALL=C
    exec stdbuf -oL sed -e 'y/\x00/?/' -e "s/.\\{$sr_chop\\}/&\\n/g" -e "/^$sr_mark\$/q"
}

# shellcheck disable=SC2016
sr_filter_program='
BEGIN {
    ORS = ""
    step = ENVIRON["SR_STEP"]; file = ENVIRON["SR_LOG"]; mark = ENVIRON["SR_MARK"]
    chop = ENVIRON["SR_CHOP"] + 0; most = ENVIRON["SR_MOST"] + 0; checked = ENVIRON["SR_CHECKED"] + 0
    nul = ENVIRON["SR_NUL"]; counted = ENVIRON["SR_COUNTED"]; at = ENVIRON["SR_AT"] + 0
    gsub(/[^A-Za-z0-9_]+/, " ", ENVIRON["SR_SECRETS"])
    names = split(ENVIRON["SR_SECRETS"], name, " ")
    for (i = 1; i <= names; i++) learn(ENVIRON[name[i]])
    for (i = 128; i < 192; i++) inside = inside sprintf("%c", i)
    print "" >> file
}
{ line = $0 }
nul != "" { gsub(nul, "?", line) }
chop && length(line) == chop { hold(line); next }
held { line = c b a line; held = 0; a = b = c = "" }
line == "" { blank++; next }
# A line end was written before the mark, to end a line without one; the empty line is the mark, if there was one.
line == mark { while (blank > 1) empty(); blank = 0; ended = 1; exit }
{ while (blank) empty(); put(line) }
END {
    if (!ended && !bad) {
        while (blank) empty()
        if (held) put(c b a)
    }
    if (bad) exit 9
    if (counted != "") count(",\"last\":true")
}
function empty() { blank--; put("") }
# Appending to one long text piece by piece would copy all of it each time.
function hold(piece) {
    held = 1
    a = a piece
    if (length(a) > 65536) { b = b a; a = "" }
    if (length(b) > 2097152) { c = c b; b = "" }
}
# All lines of a value are secret, but masking those like "{" would make a log unreadable.
function learn(value,    i, n, part, found) {
    n = split(value, part, "\n")
    for (i = 1; i <= n; i++) {
        if (n > 1) gsub(/^[ \t\r]+|[ \t\r]+$/, "", part[i])
        if (n == 1 || length(part[i]) >= 4) found += add(part[i])
    }
    for (i = 1; i <= n && !found; i++) add(part[i])
}
function add(text,    i) {
    if (text == "") return 0
    for (i = keys; i > 0 && length(key[i]) < length(text); i--) key[i + 1] = key[i]
    key[i + 1] = text
    keys++
    return 1
}
function mask(text,    i) {
    for (i = 1; i <= keys; i++) if (index(text, key[i])) text = replace(text, key[i], length(key[i]))
    return text
}
# In windows: cutting the found part off a very long text each time would copy the rest each time.
function replace(text, secret, size,    out, some, window, at, found, end) {
    end = length(text)
    for (at = 1; at <= end; ) {
        window = substr(text, at, 4095 + size)
        found = index(window, secret)
        if (found) { some = some substr(window, 1, found - 1) "***"; at += found - 1 + size }
        else { some = some substr(window, 1, 4096); at += 4096 }
        if (length(some) > 65536) { out = out some; some = "" }
    }
    return out some
}
function put(text,    cut, size) {
    text = mask(text)
    bytes += length(text) + 1
    print (text "\n") >> file
    if (fflush(file) && checked) fail()
    # Longer writes than this may be mixed with those of others, so that a line could seem to be something else.
    while (most && length(text) > most) {
        cut = most
        while (cut > most - 4 && index(inside, substr(text, cut + 1, 1))) cut--
        tell(substr(text, 1, cut))
        text = substr(text, cut + 1)
    }
    tell(text)
    if (counted != "" && told - said >= 1000) count("")
    if (fflush() && checked) fail()
}
function tell(text) {
    print (step "\t" text "\n")
    told++
}
# Not every platform keeps all of a log: who reads it can tell that something is missing, and where in the file it is.
function count(more) {
    printf "\036%s,\"lines\":%d,\"at\":%.0f,\"bytes\":%.0f,\"most\":%d%s}\n", counted, told, at, bytes, most, more
    fflush()
    said = told
}
function fail() { bad = 1; exit 9 }
'

sr_filter() { # the last part of a step's pipeline; tells the main loop when all is written
    (
        # busybox awk would not notice that nobody reads what it writes.
        trap - PIPE
        exec 8>&- 9>&-
        # shellcheck disable=SC2030
        export LC_ALL=C SR_STEP="$sr_name" SR_LOG="$sr_step_dir/log" SR_MARK="$sr_mark" SR_SECRETS="$sr_secrets"
        export SR_CHOP=0 SR_MOST="$sr_most" SR_CHECKED=1 SR_NUL=
        export SR_COUNTED='' SR_AT=0
        if [ "$sr_stream" = stdout ]; then
            SR_COUNTED="{\"nonce\":\"$sr_nonce\",\"attempt\":$sr_attempt,\"type\":\"log.count\",\"step\":\"$sr_name\""
            # Of earlier tries.
            [ ! -s "$SR_LOG" ] || SR_AT=$(wc -c < "$SR_LOG")
        fi
        [ "$sr_before" != sed ] || SR_CHOP=$sr_chop
        case $sr_awk_kind in
            mawk) exec awk -W interactive "$sr_filter_program" ;;
            gawk) SR_NUL='\000' ;;
            # What its fflush returns has no meaning.
            busybox) SR_CHECKED=0 ;;
        esac
        exec awk "$sr_filter_program"
    )
    echo "out $sr_i $?" >&9
}

sr_tr_before() {
    # It would wait for a daemon that keeps the pipe open: the main loop ends it.
    # shellcheck disable=SC2034
    if read -r sr_self sr_rest < /proc/self/stat; then
        echo "before $sr_i $sr_self" >&9
    fi 2>/dev/null
    trap - PIPE
    exec 8>&- 9>&-
    # shellcheck disable=SC2031
    export LC_ALL=C
    exec tr '\000' '?'
}

# In the background, as the job sr_job. The subshell is for bash: a trap that it runs while it sets up a pipeline of its
# own makes it wait for that pipeline.
sr_pipeline() { # command whose output is filtered
    (
        trap '' TERM INT HUP
        case $sr_before in
            sed) "$1" | { trap - PIPE; exec 8>&- 9>&-; sr_sed_before; } | sr_filter ;;
            tr) "$1" | sr_tr_before | sr_filter ;;
            *) "$1" | sr_filter ;;
        esac
    ) &
    sr_job=$!
}
