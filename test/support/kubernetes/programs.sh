# shellcheck shell=bash disable=SC2016
# The programs of a cluster: how each is started, and how it is stopped. Sourced after common.sh.

PROGRAMS=(etcd containerd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)

arguments_of() { # NAME: one argument a line
    case $1 in
        etcd)
            printf '%s\n' --name=test --data-dir="$STATE/etcd" --logger=zap --log-level=warn --unsafe-no-fsync \
                --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
                --listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 \
                --initial-cluster=test=http://127.0.0.1:2380
            ;;
        containerd) printf '%s\n' -c "$CONF/containerd.toml" ;;
        kube-apiserver)
            printf '%s\n' --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --secure-port=6443 \
                --advertise-address="$NODE_IP" --service-cluster-ip-range="$SERVICE_CIDR" --cert-dir="$RUN" \
                --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
                --client-ca-file="$PKI/ca.crt" --kubelet-certificate-authority="$PKI/ca.crt" \
                --kubelet-client-certificate="$PKI/apiserver-kubelet-client.crt" \
                --kubelet-client-key="$PKI/apiserver-kubelet-client.key" \
                --kubelet-preferred-address-types=InternalIP \
                --service-account-issuer=https://kubernetes.default.svc.cluster.local \
                --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
                --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
                --profiling=false
            ;;
        kube-controller-manager)
            printf '%s\n' --kubeconfig="$CONF/controller-manager.kubeconfig" --leader-elect=false \
                --use-service-account-credentials=true --service-account-private-key-file="$PKI/sa.key" \
                --root-ca-file="$PKI/ca.crt" --cluster-signing-cert-file="$PKI/ca.crt" \
                --cluster-signing-key-file="$PKI/ca.key" --kube-api-qps=500 --kube-api-burst=1000 \
                --flex-volume-plugin-dir="$STATE/kubelet/volume-plugins" --bind-address=127.0.0.1 \
                --cert-dir="$RUN" --profiling=false
            ;;
        kube-scheduler)
            printf '%s\n' --kubeconfig="$CONF/scheduler.kubeconfig" --leader-elect=false --bind-address=127.0.0.1 \
                --cert-dir="$RUN" --profiling=false
            ;;
        kubelet)
            printf '%s\n' --config="$CONF/kubelet.yaml" --kubeconfig="$CONF/kubelet.kubeconfig" \
                --root-dir="$STATE/kubelet" --cert-dir="$RUN" --hostname-override="$NODE" --node-ip="$NODE_IP"
            ;;
        kube-proxy) printf '%s\n' --config="$CONF/proxy.yaml" ;;
        *)
            echo "no such program: $1; there are ${PROGRAMS[*]}" >&2
            return 1
            ;;
    esac
}

# (The process ids in $RUN/*.pid are those inside the cluster.)
runs() { # NAME
    inside sh -c 'read -r pid <"$1" && [ "$(cat "/proc/$pid/comm")" = "$2" ]' sh "$RUN/$1.pid" "${1:0:15}" 2>/dev/null
}

start() { # NAME
    local program=$BUILD/bin/$1 text arguments
    if runs "$1"; then return; fi
    [[ $1 != containerd ]] || program=containerd
    text=$(arguments_of "$1")
    mapfile -t arguments <<<"$text"
    # (exec: a shell that stays would hold on to our output, and who reads that would wait for ever.)
    exec_inside setsid sh -c 'echo $$ >"$1"; shift; exec "$@"' sh "$RUN/$1.pid" "$program" "${arguments[@]}" \
        >>"$LOG/$1.log" 2>&1 </dev/null &
    wait_for 20 "start of $1" runs "$1"
}

signal() { # NAME SIGNAL
    inside sh -c 'read -r pid <"$1" && kill "-$2" "$pid"' sh "$RUN/$1.pid" "$2" 2>/dev/null || true
}

stop() { # NAME
    local end=$((SECONDS + 20))
    runs "$1" || return 0
    signal "$1" TERM
    while runs "$1"; do
        if ((SECONDS >= end)); then signal "$1" KILL; fi
        sleep 0.1
    done
}

ready() { # NAME: as soon as it does its work
    case $1 in
        etcd) wait_for 60 etcd inside curl -fsS http://127.0.0.1:2379/health ;;
        containerd) wait_for 60 containerd inside ctr -a "$CRI_SOCKET" version ;;
        kube-apiserver) wait_for 120 kube-apiserver kubectl get --raw /readyz ;;
        kubelet) wait_for 120 "node is ready" node_ready ;;
        kube-proxy) wait_for 60 kube-proxy inside curl -fsS http://127.0.0.1:10256/healthz ;;
    esac
}

# Ready, and said so by the kubelet that runs now.
node_ready() {
    local status beat
    read -r status beat <<<"$(kubectl get node "$NODE" \
        -o 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{end}')"
    [[ $status == True && $(date -d "$beat" +%s) -ge $(stat -c %Y "$RUN/kubelet.pid") ]]
}
