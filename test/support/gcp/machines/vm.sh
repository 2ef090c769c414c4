#!/usr/bin/env bash
# vm.sh ROOT FOLDER: makes FOLDER/base.qcow2, the boot disk of virtual machines, of the operating system in ROOT, and
# FOLDER/vmlinux and FOLDER/initrd, the kernel that QEMU boots it with and what finds the disk.
set -euo pipefail
root=$1
folder=$2
mkdir -p "$folder"
work=$(mktemp -d "$folder/vm.XXXXXX")
mounted=
trap '[ -z "$mounted" ] || umount "$mounted"; rm -rf "$work"' EXIT

say() { echo "gcp bed: $*" >&2; }

# From the package, which is not installed: this machine keeps its own kernel.
package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/ {print $2; exit}')
if [ -z "$package" ]; then
    apt-get -qq update
    package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/ {print $2; exit}')
fi
say "taking the kernel of $package …"
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$package")
kernel=$work/kernel
dpkg-deb -x "$work"/*.deb "$kernel"
version=$(ls "$kernel/lib/modules")
# QEMU boots an uncompressed one much faster. Debian's is compressed with LZ4, in the old format, behind a loader.
offset=$(LC_ALL=C grep -obUaP '\x02\x21\x4c\x18' "$kernel/boot/vmlinuz-$version" | head -n 1 | cut -d : -f 1)
tail -c "+$((offset + 1))" "$kernel/boot/vmlinuz-$version" | lz4 -dc - >"$work/vmlinux" 2>/dev/null || true
head -c 4 "$work/vmlinux" | grep -q ELF || { say "no kernel found in vmlinuz-$version"; exit 1; }

# Only the modules that such a machine can use.
say "picking its modules …"
modules="virtio_pci virtio_net virtio_blk virtio_rng virtio_console overlay bridge br_netfilter veth button evdev
    autofs4 qemu_fw_cfg loop nf_conntrack nf_nat nf_conntrack_netlink xt_conntrack xt_MASQUERADE xt_addrtype xt_nat
    xt_mark xt_comment xt_tcpudp xt_multiport ip_tables iptable_nat iptable_filter ip6_tables ip6table_filter
    ip6table_nat llc stp xfrm_user fuse configfs crc32c_intel dm_mod"
[ -e "$kernel/lib/modules/$version/modules.dep" ] || depmod -b "$kernel" "$version"
upper=$work/upper
target=$upper/usr/lib/modules/$version
mkdir -p "$target"
cp "$kernel/lib/modules/$version"/modules.{builtin,builtin.modinfo,order} "$target/"
# files_of MODULE...: their files, and those of what they need, in the order in which they can be loaded.
files_of() {
    local module
    for module in "$@"; do
        modprobe -d "$kernel" -S "$version" --show-depends "$module" 2>/dev/null || true
    done | awk '$1 == "insmod" && !seen[$2]++ {print $2}'
}
# shellcheck disable=SC2086 # a list of words
files_of $modules | while read -r file; do
    relative=${file#"$kernel/lib/modules/$version/"}
    mkdir -p "$target/$(dirname "$relative")"
    cp "$file" "$target/$relative"
done
depmod -b "$upper/usr" "$version"

# The disk's driver is a module. (QEMU's NVMe, which the kernel knows by itself, can't be part of a snapshot.)
initrd=$work/initrd
mkdir -p "$initrd"/{bin,dev,proc,modules,root}
cp "$(command -v busybox)" "$initrd/bin/busybox"
{
    echo '#!/bin/busybox sh'
    echo '/bin/busybox mount -t devtmpfs dev /dev'
    files_of virtio_pci virtio_blk | while read -r file; do
        cp "$file" "$initrd/modules/"
        echo "/bin/busybox insmod /modules/$(basename "$file")"
    done
    echo 'until /bin/busybox mount -t ext4 /dev/vda /root 2>/dev/null; do /bin/busybox usleep 50000; done'
    echo '/bin/busybox umount /dev'
    echo 'exec /bin/busybox switch_root /root /sbin/init'
} >"$initrd/init"
chmod 755 "$initrd/init"
(cd "$initrd" && find . | busybox cpio -o -H newc 2>/dev/null) >"$work/initrd.cpio"

say "writing the disk …"
mkdir "$work/overlay" "$work/tree"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$upper,workdir=$work/overlay" "$work/tree"
mounted=$work/tree
truncate -s 6G "$work/raw"
mkfs.ext4 -q -F -L root -E lazy_itable_init=1,lazy_journal_init=1 -d "$work/tree" "$work/raw"
umount "$mounted"
mounted=
qemu-img convert -f raw -O qcow2 "$work/raw" "$work/base.qcow2"
mv "$work/vmlinux" "$folder/vmlinux"
mv "$work/initrd.cpio" "$folder/initrd"
mv "$work/base.qcow2" "$folder/base.qcow2"
say "$(du -sh "$folder/base.qcow2" | cut -f 1) of disk"
