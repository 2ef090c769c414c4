# shellcheck shell=bash disable=SC2034
# What all scripts of the test cluster know. A cluster is one folder, and one set of namespaces (mount, network, process
# ids) that all its processes live in: when the first process of those ends, the kernel ends and removes all the rest.
#
#   $DIR/init        "<pid> <start time>" of the process that holds the namespaces, as the machine numbers it
#   $DIR/owner       the same of the process for which the cluster was started; missing: it stays until `down`
#   $DIR/settings    the values below that differ from cluster to cluster

PKI=$DIR/pki CONF=$DIR/conf STATE=$DIR/state RUN=$DIR/run LOG=$DIR/log
NODE=node
CRI_SOCKET=$RUN/containerd.sock
POD_CIDR=10.244.0.0/24 POD_GATEWAY=10.244.0.1
SERVICE_CIDR=10.96.0.0/16 API_SERVICE_IP=10.96.0.1
# Without settings (it is gone, or not there yet) no number: by then it may be another cluster's.
NUMBER="" LINK_INDEX=""
# shellcheck source=/dev/null
[[ ! -e $DIR/settings ]] || source "$DIR/settings"
# From settings: BUILD NUMBER LINK_INDEX LOG_MAX_SIZE LOG_MAX_FILES. The machine and the node share one small network.
HOST_LINK=stackrun-k$NUMBER
HOST_IP=10.245.$NUMBER.1 NODE_IP=10.245.$NUMBER.2
CGROUP=stackrun-k8s-$NUMBER

# When a process started, in the kernel's ticks: tells it from a later one with the same id.
start_time() { # PID
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    read -ra stat <<<"${stat##*) }"
    [[ ${stat[0]} != [ZX] ]] || return 1
    echo "${stat[19]}"
}

lives() { # FILE with "<pid> <start time>"
    local pid started
    { read -r pid started <"$1"; } 2>/dev/null || return 1
    [[ -n $pid && $(start_time "$pid") == "$started" ]]
}

# Runs a command inside the cluster's namespaces.
inside() {
    (exec_inside "$@")
}

exec_inside() {
    local pid
    read -r pid _ <"$DIR/init"
    exec nsenter --mount="/proc/$pid/ns/mnt" --net="/proc/$pid/ns/net" --pid="/proc/$pid/ns/pid_for_children" -- "$@"
}

wait_for() { # SECONDS WHAT COMMAND...
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= end)); then
            echo "timed out: $what; the logs are in $LOG" >&2
            return 1
        fi
        sleep 0.2
    done
}

kubectl() {
    "$BUILD/bin/kubectl" --kubeconfig "$DIR/kubeconfig" "$@"
}
