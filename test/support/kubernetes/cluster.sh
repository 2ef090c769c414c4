#!/usr/bin/env bash
# A one-node Kubernetes of its own, as many of them as wanted, for tests. Needs root.
#
#   cluster.sh up [DIR]              starts one, prints its folder; OWNER=pid: it may be swept away once that process is gone
#   cluster.sh down DIR              ends it; nothing of it is left
#   cluster.sh sweep                 ends those whose owners are gone
#   cluster.sh start|stop DIR NAME   one program: kubelet, kube-apiserver, …
#   cluster.sh load DIR TAR [NAME]   an image from a tar (`docker save`, or an OCI layout), under that name
#   cluster.sh inside DIR COMMAND…   a command inside the cluster's namespaces, say `iptables -S`
set -Eeuo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PREFIX=stackrun-k8s-
MOST_CLUSTERS=250

up() {
    DIR=$1
    mkdir -p "$DIR"/{pki,conf,state,run,log}
    chmod 700 "$DIR"
    local build number
    build=$("$here/build.sh")
    if [[ -n ${OWNER:-} ]]; then echo "$OWNER $(awk '{print $22}' "/proc/$OWNER/stat")" >"$DIR/owner"; fi
    trap 'echo "the cluster did not start" >&2; down "$DIR"' ERR
    # shellcheck source=common.sh
    source "$here/common.sh"
    setsid unshare --fork --kill-child --pid --mount-proc --mount --net --propagation private \
        bash "$here/init.sh" "$DIR" >"$LOG/init.log" 2>&1 </dev/null &
    echo "$! $(start_time $!)" >"$DIR/init"
    wait_for 20 "namespaces" test -e "$RUN/initialized"
    number=$(connect $!)
    printf 'BUILD=%q\nNUMBER=%q\nLINK_INDEX=%q\nLOG_MAX_SIZE=%q\nLOG_MAX_FILES=%q\n' "$build" "$number" \
        "$(link_index "stackrun-k$number")" "${LOG_MAX_SIZE:-10Mi}" "${LOG_MAX_FILES:-5}" >"$DIR/settings"
    source "$here/common.sh"
    source "$here/programs.sh"
    ip addr add "$HOST_IP/30" dev "$HOST_LINK"
    ip link set "$HOST_LINK" up
    inside ip addr add "$NODE_IP/30" dev eth0
    inside ip link set eth0 up
    inside ip route add default via "$HOST_IP"
    for hierarchy in $(cgroup_hierarchies); do mkdir -p "$hierarchy/$CGROUP"; done

    "$here/pki.sh" "$DIR"
    "$here/config.sh" "$DIR"
    start etcd
    start containerd
    ready etcd
    start kube-apiserver
    ready containerd
    load "$BUILD/pause.tar" stackrun.test/pause:1
    ready kube-apiserver
    for program in kube-controller-manager kube-scheduler kubelet kube-proxy; do start "$program"; done
    ready kubelet
    ready kube-proxy
    wait_for 60 "service account" kubectl get serviceaccount default
    wait_for 60 "root certificate" kubectl get configmap kube-root-ca.crt
    trap - ERR
}

# A link between the machine and the cluster; its number, the first free one, is the cluster's. The number of one that is
# being removed is free when its last part, the cgroup, has gone.
connect() { # PID
    local number
    for ((number = 1; number < MOST_CLUSTERS; number++)); do
        has_cgroup "stackrun-k8s-$number" && continue
        if ip link add "stackrun-k$number" type veth peer name eth0 netns "$1" 2>/dev/null; then
            echo "$number"
            return
        fi
    done
    echo "no network link could be made" >&2
    return 1
}

link_index() { # LINK
    cat "/sys/class/net/$1/ifindex" 2>/dev/null || true
}

has_cgroup() { # NAME
    local hierarchy
    for hierarchy in $(cgroup_hierarchies); do
        [[ ! -e $hierarchy/$1 ]] || return 0
    done
    return 1
}

cgroup_hierarchies() {
    awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/mounts
}

down() { # DIR
    DIR=$1
    # shellcheck source=common.sh
    source "$here/common.sh"
    local pid
    if lives "$DIR/init"; then
        read -r pid _ <"$DIR/init"
        kill -KILL "$pid"
        wait_for 30 "end of the cluster's processes" ended
    fi
    # The kernel removes the link with the namespace. By its name, it might be another cluster's by now.
    wait_for 30 "removal of $HOST_LINK" unlinked
    wait_for 30 "removal of $CGROUP" remove_cgroups
    rm -rf --one-file-system "$DIR"
}

unlinked() {
    [[ -z ${LINK_INDEX:-} || $(link_index "$HOST_LINK") != "$LINK_INDEX" ]]
}

ended() {
    ! lives "$DIR/init"
}

remove_cgroups() {
    local hierarchy
    for hierarchy in $(cgroup_hierarchies); do
        [[ ! -e $hierarchy/$CGROUP ]] || find "$hierarchy/$CGROUP" -depth -type d -exec rmdir {} + || return 1
    done
}

sweep() {
    local dir
    for dir in "${TMPDIR:-/tmp}/$PREFIX"*/; do
        DIR=${dir%/}
        # shellcheck source=common.sh
        source "$here/common.sh"
        if [[ -e $DIR/owner ]] && ! lives "$DIR/owner"; then
            echo "ending the test cluster in $DIR: the process that started it is gone" >&2
            "$here/cluster.sh" down "$DIR"
        fi
    done
}

load() { # TAR [NAME]
    local imported
    imported=$(inside ctr -a "$CRI_SOCKET" -n k8s.io images import "$1" | sed -n 's/^unpacking \(.*\) (sha256:.*/\1/p' | head -1)
    if [[ -n ${2:-} && $imported != "$(full_name "$2")" ]]; then
        inside ctr -a "$CRI_SOCKET" -n k8s.io images tag --force "$imported" "$(full_name "$2")" >/dev/null
    fi
}

# The name under which a runtime looks for an image: docker.io is what a short one means.
full_name() { # NAME
    local name=$1 first=${1%%/*}
    if [[ $first == "$name" ]]; then
        name=docker.io/library/$name
    elif [[ $first != *[.:]* && $first != localhost ]]; then
        name=docker.io/$name
    fi
    [[ ${name##*/} == *:* ]] || name+=:latest
    echo "$name"
}

[[ $(id -u) == 0 ]] || { echo "a test cluster needs root" >&2; exit 1; }
command=${1:-}
case $command in
    up)
        sweep
        folder=${2:-$(mktemp -d --tmpdir "${PREFIX}XXXXXX")}
        up "$folder" >&2
        echo "$folder"
        ;;
    sweep) sweep ;;
    down) down "$2" ;;
    start | stop | load | inside)
        DIR=$2
        # shellcheck source=common.sh
        source "$here/common.sh"
        # shellcheck source=programs.sh
        source "$here/programs.sh"
        shift 2
        case $command in
            start) start "$1" && ready "$1" ;;
            *) "$command" "$@" ;;
        esac
        ;;
    *)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
esac
