#!/usr/bin/env bash
# Builds the programs of the test cluster from Go modules, once, and prints the folder they are in:
# bin/hyperkube (with a link for each of its names) and pause.tar, the image that holds a pod's namespaces.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

version=$(awk '$1 == "require" && $2 == "k8s.io/kubernetes" {print $3}' "$here/build/go.mod")
hash=$(cd "$here" && find build build.sh -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
cache=${STACKRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stackrun}/testbeds
folder=$cache/kubernetes-${version#v}-$hash
pause_ref=stackrun.test/pause:1

go_build() { # OUTPUT PACKAGE LDFLAGS
    (cd "$here/build" && GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0 nice -n 5 \
        go build -mod=readonly -trimpath -ldflags "-s -w $3" -o "$1" "$2")
}

hyperkube() { # OUTPUT
    local minor=${version#v1.} flags="" package
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
        flags+=" -X $package.gitTreeState=clean"
    done
    go_build "$1" . "$flags"
}

# An image in the form of `docker save`: one layer with one file.
pause_image() { # OUTPUT
    local work diff
    work=$(mktemp -d)
    mkdir "$work/root"
    go_build "$work/root/pause" ./pause ""
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$work/root" -cf "$work/layer.tar" pause
    diff=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
    printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["/pause"],"User":"65535:65535"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$(go env GOARCH)" "$diff" >"$work/config.json"
    printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$pause_ref" >"$work/manifest.json"
    tar -C "$work" -cf "$1" manifest.json config.json layer.tar
    rm -rf "$work"
}

progress() {
    local start=$SECONDS
    while sleep 15; do
        echo "building Kubernetes $version with Go … $((SECONDS - start)) s" >&2
    done
}

mkdir -p "$cache"
exec 9>"$cache/.lock-kubernetes"
if ! flock --nonblock 9; then
    echo "waiting for another build of Kubernetes …" >&2
    flock 9
fi
if [[ ! -e $folder/complete ]]; then
    command -v go >/dev/null || { echo "Kubernetes is built with Go: install Go 1.24 or newer" >&2; exit 1; }
    echo "building Kubernetes $version with Go (once, about 7 minutes) …" >&2
    rm -rf "$folder"
    mkdir -p "$folder/bin"
    progress 9>&- &
    reporter=$!
    trap 'kill "$reporter" 2>/dev/null || true' EXIT
    hyperkube "$folder/bin/hyperkube" 9>&-
    pause_image "$folder/pause.tar" 9>&-
    for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
        ln -s hyperkube "$folder/bin/$name"
    done
    touch "$folder/complete"
fi
echo "$folder"
