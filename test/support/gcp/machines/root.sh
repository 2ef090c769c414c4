#!/usr/bin/env bash
# root.sh FOLDER: makes FOLDER/root, the operating system of the instances: Debian with Google's own guest agent and Docker.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
mkdir -p "$folder"
work=$(mktemp -d "$folder/root.XXXXXX")
trap 'rm -rf "$work"' EXIT

say() { echo "gcp bed: $*" >&2; }

# The agent wants ssh-keygen for host keys.
packages=systemd,systemd-sysv,udev,dbus,kmod,iproute2,iptables,docker.io,containerd,curl,ca-certificates,procps,google-guest-agent,openssh-client

say "installing Debian and the guest agent into a folder (a minute or two) …"
sources=/etc/apt/sources.list
if [ -e /etc/apt/sources.list.d/debian.sources ]; then
    sources=/etc/apt/sources.list.d/debian.sources
fi
leave_out=()
for unwanted in man doc locale info lintian; do
    leave_out+=("--dpkgopt=path-exclude=/usr/share/$unwanted/*")
done
if ! mmdebstrap --variant=minbase --include="$packages" --mode=root --quiet "${leave_out[@]}" \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    bookworm "$work/root.tar" "$sources" >"$work/log" 2>&1; then
    tail -n 20 "$work/log" >&2
    exit 1
fi

say "configuring it …"
root=$work/root
mkdir "$root"
chmod 755 "$root"
tar -xf "$work/root.tar" -C "$root" --numeric-owner --exclude='./dev/*'
cp -rT "$here/root" "$root"
chown -R root:root "$root/etc/systemd" "$root/etc/docker" "$root/etc/containerd" "$root/etc/default" "$root/usr/local/sbin"
rm -f "$root/etc/hostname" # each instance has its own
printf '127.0.0.1 localhost\n169.254.169.254 metadata.google.internal metadata\n' >"$root/etc/hosts"
rm -f "$root/etc/resolv.conf"
echo 'nameserver 169.254.169.254' >"$root/etc/resolv.conf"
: >"$root/etc/fstab"
echo uninitialized >"$root/etc/machine-id"
chroot "$root" update-alternatives --set iptables /usr/sbin/iptables-legacy >/dev/null
chroot "$root" systemctl -q enable systemd-networkd systemd-networkd-wait-online docker containerd snapshot-gate
# What takes time at each boot and does nothing for an instance that lives for minutes.
chroot "$root" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
    e2scrub_all.timer e2scrub_reap.service systemd-timesyncd.service getty@tty1.service console-getty.service \
    serial-getty@ttyS0.service systemd-binfmt.service sys-kernel-debug.mount sys-kernel-tracing.mount \
    dev-hugepages.mount dev-mqueue.mount systemd-pstore.service modprobe@configfs.service modprobe@drm.service \
    modprobe@efi_pstore.service modprobe@fuse.service ldconfig.service systemd-journal-catalog-update.service \
    systemd-update-done.service systemd-network-generator.service sys-kernel-config.mount \
    systemd-journal-flush.service networking.service systemd-update-utmp.service \
    systemd-update-utmp-runlevel.service systemd-firstboot.service proc-sys-fs-binfmt_misc.automount
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/etc/apt/apt.conf.d/*
mv "$root" "$folder/root"
say "$(du -sh "$folder/root" | cut -f 1) of operating system"
