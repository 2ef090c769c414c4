# shellcheck shell=sh
# The machine's startup script, at every boot: settings, the cloud's part and base.sh stand above. It brings vm.sh and its
# companions from the store into the Docker volume `stackrun`, and starts vm.sh as a service.

sr_boot_failed() { # reason, message
    sr_cry "$1" "$2"
    # Not every cloud shows the console of a machine that is off.
    sleep "${STACKRUN_LINGER_SECONDS:-60}"
    sr_cloud_off
    exit 1
}

sr_wait_for_docker() {
    sr_try=0
    until docker version > /dev/null 2>&1; do
        sr_try=$((sr_try + 1))
        [ "$sr_try" -lt 60 ] || return 1
        sleep 2
    done
}

sr_write_carrier_env() {
    mkdir -p "$sr_run/pieces" "$sr_run/docker"
    # Beside the tries here and in ship.sh, rclone must not have too many of its own.
    cat > "$sr_run/carrier.env" << end
HOME=/tmp
RCLONE_RETRIES=1
RCLONE_LOW_LEVEL_RETRIES=3
RCLONE_CONTIMEOUT=5s
RCLONE_TIMEOUT=60s
STACKRUN_SHIP_TRIES=${STACKRUN_TRIES:-8}
$STACKRUN_RCLONE_ENV
end
}

sr_fetch() {
    # shellcheck disable=SC2016
    sr_carrier fetch 0:0 -c '
        cd /stackrun && rm -rf boot.new && rclone --config "" copy "$0" boot.new || exit
        [ -f boot.new/vm.sh ] || { echo "$0 is not there" >&2; exit 1; }
        rm -rf boot && mv boot.new boot && chmod -R a+rX boot' "$sr_remote/boot"
}

sr_start() {
    # Told to end before Docker and the network are. Only vm.sh itself is told, and waited for: it ends what it has started in its
    # order, and a request that still waits for an answer must not keep the machine.
    systemd-run --quiet --collect --unit=stackrun --description='stackrun' \
        --property='After=docker.service containerd.service network-online.target network.target nss-lookup.target systemd-networkd.service systemd-resolved.service' \
        --property=KillMode=process --property=TimeoutStopSec=150 --property=SyslogIdentifier=stackrun \
        --property=StandardOutput=journal+console --property=StandardError=journal+console \
        /bin/sh "$1/boot/vm.sh"
}

sr_boot() {
    if systemctl --quiet is-active stackrun.service 2>/dev/null; then
        return
    fi
    sr_say 'waiting for Docker'
    sr_wait_for_docker ||
        sr_boot_failed MachineUnusable 'there is no Docker on this machine; use a boot image that has it, like cos-cloud/cos-stable'
    command -v systemd-run > /dev/null 2>&1 ||
        sr_boot_failed MachineUnusable 'there is no systemd on this machine; use a boot image that has it, like cos-cloud/cos-stable'
    docker volume create stackrun > /dev/null
    sr_volume=$(docker volume inspect --format '{{.Mountpoint}}' stackrun) ||
        sr_boot_failed MachineUnusable 'Docker can make no volume on this machine: is the disk full?'
    sr_write_carrier_env
    sr_say "pulling $STACKRUN_TRANSFER_IMAGE"
    docker rm -f stackrun-fetch > /dev/null 2>&1
    docker image inspect "$STACKRUN_TRANSFER_IMAGE" > /dev/null 2>&1 ||
        sr_try "pulling $STACKRUN_TRANSFER_IMAGE" sr_pull "$STACKRUN_TRANSFER_IMAGE" ||
        sr_boot_failed ImagePullFailed "the transfer image $STACKRUN_TRANSFER_IMAGE can't be pulled: $sr_said"
    sr_say "fetching $sr_remote/boot"
    sr_try 'fetching the boot files' sr_fetch ||
        sr_boot_failed ArtifactStoreFailed "the boot files can't be fetched from the artifact store: $sr_said"
    sr_said=$(sr_start "$sr_volume" 2>&1) ||
        sr_boot_failed MachineUnusable "the service stackrun can't be started: $(sr_one_line "$sr_said")"
}

sr_boot
