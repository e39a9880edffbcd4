# The first process of the emulated arm64 machine: it mounts what systemd would, starts
# containerd, runs what the test brings on the second disk, and switches the machine off.
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs -o mode=0755 run /run
mount -t tmpfs tmp /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for controller in cpu cpuset io memory pids; do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done 2>/dev/null
[ -e /sys/kernel/security/lsm ] || mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
echo arm64 >/proc/sys/kernel/hostname
ip link set lo up 2>/dev/null
busybox modprobe overlay
mkdir -p /run/in /run/out /var/log
tar -xf /dev/vdb -C /run/in
while sleep 0.5; do containerd; done >/run/out/containerd.log 2>&1 &
bash /run/in/guest.sh
sync
busybox poweroff -f
