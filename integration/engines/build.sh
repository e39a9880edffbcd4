#!/bin/sh
# Brings the engines that the integration tests run to a cache outside the
# repository: containerd and runc built from the modules pinned beside this
# script, and Debian's own packages unpacked without installing them, so that
# no service starts and the machine's settings stay as they were.
#
#   build.sh [all|kubernetes|peers|machines|machine-arm64|programs|debian|packages]     prints the cache directory on its last line
#
# Each part is built once per content of its go.mod and go.sum.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${BATTEN_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/batten/engines}
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9

say() { echo "engines: $*" >&2; }

# packages NAME...: what the C builds and the test images need, from Debian.
packages() {
	missing=
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
	done
	[ -z "$missing" ] && return
	say "installing$missing"
	apt_update
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

apt_updated=
apt_update() {
	[ -n "$apt_updated" ] && return
	apt-get update -qq >/dev/null
	apt_updated=yes
}

# debian: containerd 1.6.20, runc 1.1.5, crun, Podman, Buildah, Docker 20.10 and
# busybox as Debian 12 ships them, unpacked into one root.
debian() {
	stamp="$cache/debian/.done-2"
	[ -e "$stamp" ] && return
	say "unpacking Debian's engines and busybox-static"
	rm -rf "$cache/debian"
	mkdir -p "$cache/debian/deb"
	# apt drops to the user _apt for downloads, which may not write here.
	apt_update
	(cd "$cache/debian/deb" && apt-get -o APT::Sandbox::User=root download -qq \
		containerd runc crun busybox-static libyajl2 \
		podman conmon buildah golang-github-containers-common golang-github-containers-image \
		docker.io tini libgpgme11 libassuan0 libdevmapper1.02.1 libsubid4 >/dev/null)
	for deb in "$cache"/debian/deb/*.deb; do dpkg -x "$deb" "$cache/debian"; done
	rm -rf "$cache/debian/deb"
	touch "$stamp"
}

# debian-13: crun 1.21, which keeps the filters that it compiles, with the libraries that
# it was made for. apt reads Debian 13's lists into a directory of their own.
debian13() {
	[ -e "$cache/debian-13/.done" ] && return
	say "unpacking Debian 13's crun"
	rm -rf "$cache/debian-13"
	apt="$cache/debian-13/apt"
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/deb"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >"$apt/sources.list"
	options="-qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=$apt/sources.list -o Dir::Etc::sourceparts=/dev/null
		-o Dir::State::lists=$apt/lists -o Dir::Cache=$apt"
	apt-get $options update >/dev/null
	(cd "$apt/deb" && apt-get $options download crun libc6 libcap2 libseccomp2 libsystemd0 libyajl2 >/dev/null)
	for deb in "$apt"/deb/*.deb; do dpkg -x "$deb" "$cache/debian-13"; done
	rm -rf "$apt"
	touch "$cache/debian-13/.done"
}

# programs DIR PACKAGE...: a root file system in which containers run Debian's own programs
# (integration/observe), with all that the packages depend on. They are unpacked and not
# installed: no script of theirs runs. apt reads Debian 12's lists into a directory of their
# own, and believes that nothing is installed.
programs() {
	dir=$cache/$1
	shift
	recipe=$({ echo "$@"; sed -n '/^programs()/,/^}/p' "$here/build.sh"; } | sha256sum | cut -c1-16)
	[ -e "$dir/.done-$recipe" ] && return
	say "unpacking programs of Debian 12 (once; takes a few minutes)"
	rm -rf "$dir"
	apt="$dir/apt"
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$dir/root"
	: >"$apt/status"
	for suite in "debian bookworm" "debian bookworm-updates" "debian-security bookworm-security"; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/$suite main"
	done >"$apt/sources.list"
	options="-qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=$apt/sources.list -o Dir::Etc::sourceparts=/dev/null
		-o Dir::State::lists=$apt/lists -o Dir::State::status=$apt/status -o Dir::Cache=$apt -o Debug::NoLocking=true"
	apt-get $options update >/dev/null
	apt-get $options --no-install-recommends --download-only -y install "$@" >/dev/null
	for deb in "$apt"/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir/root" --keep-directory-symlink
		dpkg-deb -W --showformat '${Package} ${Version}\n' "$deb"
	done >"$dir/versions"
	cp "$dir/root/usr/share/base-passwd/passwd.master" "$dir/root/etc/passwd"
	cp "$dir/root/usr/share/base-passwd/group.master" "$dir/root/etc/group"
	echo 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >>"$dir/root/etc/passwd" # which it asks for
	echo '127.0.0.1 localhost box' >"$dir/root/etc/hosts"
	for kind in auth account password session; do # which sudo and su ask for
		mkdir -p "$dir/root/etc/pam.d"
		echo "${kind%-*} required pam_permit.so" >"$dir/root/etc/pam.d/common-$kind"
	done
	mkdir -p "$dir/root/opt"
	rm -rf "$apt" "$dir/root/usr/share/doc" "$dir/root/usr/share/locale"
	touch "$dir/.done-$recipe"
}

# cni: the bridge network's plugins as Debian ships them.
cni() {
	[ -e "$cache/cni/.done" ] && return
	say "unpacking Debian's CNI plugins"
	rm -rf "$cache/cni"
	mkdir -p "$cache/cni/deb"
	apt_update
	(cd "$cache/cni/deb" && apt-get -o APT::Sandbox::User=root download -qq containernetworking-plugins >/dev/null)
	dpkg -x "$cache"/cni/deb/*.deb "$cache/cni"
	rm -rf "$cache/cni/deb"
	touch "$cache/cni/.done"
}

# once DIR COMMAND...: run in DIR, it fills the directory $out.
once() {
	dir=$1
	shift
	key=$(cat "$here/$dir/go.mod" "$here/$dir/go.sum" | sha256sum | cut -c1-16)
	out="$cache/$dir-$key"
	if [ ! -e "$out/.done" ]; then
		say "building $dir (once; takes a few minutes)"
		rm -rf "$out"
		mkdir -p "$out"
		(cd "$here/$dir" && "$@")
		touch "$out/.done"
	fi
	ln -sfn "$out" "$cache/$dir"
}

# module DIR CGO TAGS: every tool that DIR/go.mod lists.
module() {
	once "$1" tools "$2" "$3"
}

tools() {
	CGO_ENABLED=$1 go build -trimpath -tags "$2" -ldflags '-s -w' -o "$out/" tool
}

# kubernetes: what its go.mod lists, with the release that they say they are.
kubernetes() {
	release=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$release" -o "$out/" tool
}

# machine: a Debian 12 that qemu boots, with systemd and Debian's containerd: a disk that
# is made without mounting anything, the kernel and its initrd.
machine() {
	packages qemu-system-x86 debootstrap e2fsprogs
	recipe=$(sed -n '/^machine()/,/^}/p; /^machine_more()/,/^}/p' "$here/build.sh" | sha256sum | cut -c1-16)
	out="$cache/machine-debian-12-$recipe"
	if [ ! -e "$out/.done" ]; then
		say "making a Debian 12 to emulate (once; takes a few minutes)"
		rm -rf "$out"
		mkdir -p "$out"
		root=$out/root
		debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,udev,containerd,runc,linux-image-amd64,initramfs-tools,busybox-static,iproute2,kmod,apparmor \
			bookworm "$root" http://deb.debian.org/debian >"$out/log" 2>&1 || { tail -n 20 "$out/log" >&2; exit 1; }
		cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
		cp "$root"/boot/initrd.img-* "$out/initrd"
		cat >"$root/etc/systemd/system/guest.service" <<-END
			[Unit]
			After=containerd.service multi-user.target
			[Service]
			Type=oneshot
			TimeoutStartSec=infinity
			ExecStart=/bin/sh -c 'mkdir -p /run/in; tar -xf /dev/vdb -C /run/in; sh /run/in/guest.sh'
			ExecStopPost=/bin/systemctl poweroff --force
			[Install]
			WantedBy=multi-user.target
		END
		mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
		ln -s ../guest.service "$root/etc/systemd/system/multi-user.target.wants/"
		ln -s /dev/null "$root/etc/systemd/system/serial-getty@ttyS0.service"
		rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
		mke2fs -q -t ext4 -d "$root" "$out/disk" 2560M
		machine_more
		mke2fs -q -t ext4 -d "$root" "$out/disk-more" 3584M
		rm -rf "$root"
		touch "$out/.done"
	fi
	ln -sfn "$out" "$cache/machine-debian-12"
}

# machine_more: in $root, what a second disk has: Debian's other engines, and the kernels of
# the release before and of the one after.
machine_more() {
	say "adding Docker, Podman, Buildah and two more kernels"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	chroot "$root" sh -c 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends install docker.io podman buildah crun iptables' \
		>>"$out/log" 2>&1 || { tail -n 20 "$out/log" >&2; exit 1; }
	for suite in bullseye trixie; do
		apt=$out/apt
		mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/deb"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" >"$apt/sources.list"
		options="-qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=$apt/sources.list -o Dir::Etc::sourceparts=/dev/null
			-o Dir::State::lists=$apt/lists -o Dir::Cache=$apt"
		apt-get $options update >/dev/null
		image=$(apt-cache $options depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
		(cd "$apt/deb" && apt-get $options download "$image" >/dev/null)
		dpkg-deb --fsys-tarfile "$apt"/deb/*.deb | tar -x -C "$root" --keep-directory-symlink
		release=${image#linux-image-}
		chroot "$root" sh -c "depmod $release && update-initramfs -c -k $release" >>"$out/log" 2>&1 || { tail -n 20 "$out/log" >&2; exit 1; }
		cp "$root/boot/vmlinuz-$release" "$out/vmlinuz-$suite"
		cp "$root/boot/initrd.img-$release" "$out/initrd-$suite"
		rm -rf "$apt"
	done
	rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/boot/*
}

# machine_arm64: a Debian 12 of arm64 that qemu boots. Its packages are unpacked and not
# installed, since this machine cannot run their scripts: init is a script of ours, which
# starts containerd and what the test brings. apt reads arm64's lists into a directory of
# their own, and believes that nothing is installed.
machine_arm64() {
	packages qemu-system-arm e2fsprogs kmod cpio
	recipe=$({ sed -n '/^machine_arm64()/,/^}/p' "$here/build.sh"; cat "$here/arm64-init.sh"; } | sha256sum | cut -c1-16)
	out="$cache/machine-debian-12-arm64-$recipe"
	if [ ! -e "$out/.done" ]; then
		say "making a Debian 12 of arm64 to emulate (once; takes a few minutes)"
		rm -rf "$out"
		apt=$out/apt root=$out/root first=$out/first
		mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$root/usr" "$first/bin" "$first/lib"
		: >"$apt/status"
		for suite in "debian bookworm" "debian bookworm-updates" "debian-security bookworm-security"; do
			echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/$suite main"
		done >"$apt/sources.list"
		apt_arm64() {
			apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$apt/sources.list" \
				-o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" \
				-o Debug::NoLocking=true "$@"
		}
		apt_arm64 update >/dev/null
		apt_arm64 --no-install-recommends --download-only -y install linux-image-arm64 containerd runc crun busybox-static bash coreutils \
			util-linux mount findutils grep sed tar gcc libc6-dev base-passwd iproute2 >/dev/null
		for dir in bin sbin lib; do # as a merged Debian has them
			mkdir -p "$root/usr/$dir"
			ln -s "usr/$dir" "$root/$dir"
		done
		for deb in "$apt"/archives/*.deb; do
			dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink
			dpkg-deb -W --showformat '${Package} ${Version}\n' "$deb"
		done >"$out/versions"
		rm -rf "$apt" "$root/usr/share/doc" "$root/usr/share/locale" "$root/usr/share/man"
		mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/run" "$root/tmp" "$root/root" "$root/etc"
		ln -sfn bash "$root/bin/sh"
		cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
		cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
		cp "$here/arm64-init.sh" "$root/init"
		release=$(basename "$root"/lib/modules/*)
		cp "$root/boot/vmlinuz-$release" "$out/vmlinuz"
		depmod -b "$root" "$release"
		# The first root has what the disk is found with.
		mkdir -p "$out/bin"
		cp "$root/bin/busybox" "$out/bin/"
		cp "$root/bin/busybox" "$first/bin/"
		for module in virtio_blk virtio_pci ext4 crc32c_generic; do
			modprobe -d "$root" -S "$release" --show-depends $module | sed -n 's/^insmod \([^ ]*\).*/\1/p'
		done | awk '!seen[$0]++' | while read -r file; do
			cp "$file" "$first/lib/"
			echo "/bin/busybox insmod /lib/$(basename "$file")"
		done >"$out/insmod"
		{
			echo '#!/bin/busybox sh'
			cat "$out/insmod"
			echo '/bin/busybox mkdir -p /dev /new
/bin/busybox mount -t devtmpfs dev /dev
while [ ! -b /dev/vdc ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 /dev/vda /new
/bin/busybox umount /dev
exec /bin/busybox switch_root /new /bin/sh /init'
		} >"$first/init"
		chmod 0755 "$first/init"
		(cd "$first" && find . | cpio --quiet -o -H newc | gzip -1) >"$out/initrd"
		mke2fs -q -t ext4 -d "$root" "$out/disk" 3072M
		rm -rf "$root" "$first" "$out/insmod"
		touch "$out/.done"
	fi
	ln -sfn "$out" "$cache/machine-debian-12-arm64"
}

# peers: containerd's own integration tests, and what they read.
peers() {
	suite=github.com/containerd/containerd/v2/integration
	CGO_ENABLED=0 go test -c -trimpath -o "$out/" $suite $suite/client
	CGO_ENABLED=0 go build -trimpath -o "$out/" $suite/failpoint/cmd/runc-fp # a runc that fails
	cp -r "$(go list -m -f '{{.Dir}}' github.com/containerd/containerd/v2)/integration/client/testdata" "$out/"
	chmod -R u+w "$out/testdata"
}

# critest: what Kubernetes tests a CRI plugin by.
critest() {
	CGO_ENABLED=0 go test -c -trimpath -o "$out/critest" sigs.k8s.io/cri-tools/cmd/critest
}

# What integration/observe runs: few in make test, and many with PROGRAMS=all.
few="dash coreutils base-passwd strace redis-server redis-tools python3 nodejs gcc libc6-dev git sqlite3 bubblewrap util-linux mount keyutils"
many="postgresql-15 nginx-light memcached default-jre-headless gcc-multilib curl tar perl ruby openssl gdb systemd-container
	rsync openssh-client openssh-server iproute2 iptables nftables busybox-static dpkg apt sudo cron chrony stress-ng fio numactl
	mariadb-server php-cli lua5.4 make jq quota kmod kexec-tools libcap2-bin fakeroot podman crun bpftool linux-perf procps psmisc
	uidmap ltrace valgrind util-linux-extra iputils-ping tcpdump lsof gzip xz-utils grep sed gawk findutils bash diffutils"

# The command line is built with libseccomp, as runc is.
packages pkg-config libseccomp-dev
packages logrotate # by which the policy's log is rotated in tests
[ "${1:-all}" = packages ] && exit
debian
if [ "${1:-all}" = all ]; then
	packages strace # by which the fault tests fail system calls
	debian13
	module runc-1.5 1 seccomp
	module runc-1.6 1 seccomp
	module containerd-2.4 0 ''
	module containerd-1.7 0 ''
	module containerd-2.2 0 ''
	module docker-29 0 ''
	programs programs $few
fi
if [ "${1:-all}" = programs ]; then
	debian
	module runc-1.5 1 seccomp
	module containerd-2.4 0 ''
	programs programs-all $few $many
fi
if [ "${1:-all}" = machines ]; then
	machine
	machine_arm64
fi
if [ "${1:-all}" = machine-arm64 ]; then
	machine_arm64
fi
if [ "${1:-all}" = peers ]; then
	packages lsof procps strace # which they call
	module runc-1.5 1 seccomp
	module containerd-2.4 0 ''
	once containerd-2.4-tests peers
	once cri-tools-1.37 critest
	cni
fi
if [ "${1:-all}" = kubernetes ]; then
	module runc-1.5 1 seccomp
	module containerd-2.4 0 ''
	module containerd-1.7 0 ''
	once kubernetes-1.37 kubernetes
	once kubernetes-1.35 kubernetes
	module helm-4 0 ''
	cni
fi
echo "$cache"
