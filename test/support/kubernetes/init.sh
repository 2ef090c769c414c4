#!/usr/bin/env bash
# The first process inside a cluster's namespaces: `init.sh DIR`. Gives it what programs would else write to the
# machine's own folders, and reaps what the cluster's processes leave.
set -euo pipefail
DIR=$1

for folder in /run /var/lib /var/log; do
    mount -t tmpfs -o mode=755 tmpfs "$folder"
done
mkdir -p /run/netns /run/lock
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
touch "$DIR/run/initialized"

while true; do
    sleep 3600 &
    wait $! || true
done
