#!/usr/bin/env bash
# Builds fake-gcs-server from its Go module, once, and prints the program's path.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

module=github.com/fsouza/fake-gcs-server
version=$(awk -v module="$module" '$1 == "require" && $2 == module {print $3}' "$here/build/go.mod")
hash=$(cd "$here" && find build build.sh -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
cache=${STACKRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stackrun}/testbeds
folder=$cache/fake-gcs-server-${version#v}-$hash

mkdir -p "$cache"
exec 9>"$cache/.lock-fake-gcs-server"
if ! flock --nonblock 9; then
    echo "waiting for another build of fake-gcs-server …" >&2
    flock 9
fi
if [[ ! -e $folder/complete ]]; then
    command -v go >/dev/null || { echo "fake-gcs-server is built with Go: install Go 1.24 or newer" >&2; exit 1; }
    echo "building fake-gcs-server $version with Go (once, about 2 minutes) …" >&2
    rm -rf "$folder"
    mkdir -p "$folder"
    (cd "$here/build" && GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0 nice -n 5 \
        go build -mod=readonly -trimpath -ldflags "-s -w" -o "$folder/fake-gcs-server" "$module" 9>&-)
    touch "$folder/complete"
fi
echo "$folder/fake-gcs-server"
