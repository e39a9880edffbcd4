# Runs in the emulated machine once it is up: each of the commands in /run/in/commands,
# and leaves what it printed, its exit status and its time on the third disk.
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /root
# A minimal Debian has none of these, which containerd gives to pods.
[ -e /etc/hosts ] || echo "127.0.0.1 localhost" >/etc/hosts
[ -e /etc/resolv.conf ] || : >/etc/resolv.conf
mkdir -p /usr/local/bin /usr/local/sbin
for program in pod batten-runc containerd-shim-batten-v2; do [ ! -e /run/in/$program ] || install -m 0755 /run/in/$program /usr/local/bin/; done
[ ! -e /run/in/batten ] || install -m 0755 /run/in/batten /usr/local/sbin/
cp /run/in/*.deb /root/ 2>/dev/null
until ctr version; do sleep 0.2; done >/dev/null 2>&1
for image in /run/in/*.image; do [ ! -e "$image" ] || ctr -n k8s.io images import "$image" >/dev/null; done
mkdir -p /run/out
n=0
while IFS= read -r command; do
	n=$((n + 1))
	date +%s.%N >"/run/out/$n.began"
	case $command in
	"systemctl reboot") : >"/run/out/$n.said" ;;
	*) bash -c "$command" >"/run/out/$n.said" 2>&1 </dev/null ;;
	esac
	echo $? >"/run/out/$n.status"
	date +%s.%N >"/run/out/$n.ended"
done </run/in/commands
[ -e /run/out/containerd.log ] || journalctl -b --no-pager -u containerd >/run/out/containerd.log 2>&1
tar -cf /dev/vdc -C /run/out .
sync
