package programs

const traces = "it traces, and what it traces has a tracer"

// Many are run with PROGRAMS=all, beside Few. They need what engines/build.sh calls many.
var Many = []Program{
	// Servers: started, asked once, stopped.
	{Name: "postgres", Wrote: "500500", Script: `chmod 1777 /tmp; setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'PATH=/usr/lib/postgresql/15/bin:$PATH
		initdb -D /tmp/pg -A trust --no-locale -E UTF8 -U postgres >/tmp/init || cat /tmp/init
		pg_ctl -D /tmp/pg -w -s -o "-k /tmp -h \"\"" -l /tmp/log start || cat /tmp/log
		psql -h /tmp -U postgres -Atc "create table t as select generate_series(1, 1000) a; select sum(a) from t" postgres
		pg_ctl -D /tmp/pg -m fast -s stop'`, Rounds: 2, Varied: "its workers begin when they like"},
	{Name: "mariadb", Wrote: "3\n", Script: `mkdir -p /run/mysqld; mkdir /tmp/m; mariadb-install-db --no-defaults --force --skip-name-resolve --user=root --datadir=/tmp/m >/tmp/init 2>&1 || cat /tmp/init
		mariadbd --no-defaults --user=root --datadir=/tmp/m --skip-networking --socket=/tmp/s --pid-file=/tmp/p >/tmp/log 2>&1 & s=$!
		for i in $(seq 300); do mariadb-admin --no-defaults -S /tmp/s ping >/dev/null 2>&1 && break; sleep 0.1; done
		mariadb --no-defaults -S /tmp/s -Ne 'create table test.t (a int); insert into test.t values (1), (2); select sum(a) from test.t' || tail /tmp/log
		mariadb-admin --no-defaults -S /tmp/s shutdown; wait $s`},
	{Name: "nginx, curl", Wrote: "hello", Script: `mkdir -p /var/lib/nginx /var/log/nginx
		echo 'user root; pid /tmp/p; error_log /tmp/e; worker_processes 2; events {} http { access_log off; server { listen unix:/tmp/s; location / { return 200 "hello\n"; } location /etc { alias /etc; } } }' >/tmp/c
		nginx -e /tmp/e -c /tmp/c; curl -s --unix-socket /tmp/s http://x/; curl -s --unix-socket /tmp/s http://x/etc/passwd | head -1
		nginx -e /tmp/e -c /tmp/c -s quit; while [ -e /tmp/p ]; do sleep 0.05; done; curl -s file:///etc/group | head -1; curl -s http://127.0.0.1:1/; echo $?`},
	{Name: "memcached", Wrote: "VALUE a 0 1", Script: `memcached -u root -s /tmp/s -t 4 & s=$!; while [ ! -e /tmp/s ]; do sleep 0.05; done
		python3 -c 'import socket
s = socket.socket(socket.AF_UNIX); s.connect("/tmp/s"); s.sendall(b"set a 0 0 1\r\nb\r\nget a\r\nquit\r\n"); print(s.makefile().read())'; kill $s; wait $s; echo $?`},
	{Name: "sshd, ssh", Wrote: "in\n0", Script: `mkdir -p /run/sshd /root; ssh-keygen -q -t ed25519 -N '' -f /tmp/h; ssh-keygen -q -t ed25519 -N '' -f /tmp/k; cp /tmp/k.pub /tmp/authorized
		printf 'HostKey /tmp/h\nAuthorizedKeysFile /tmp/authorized\nStrictModes no\nUsePAM no\nPidFile none\n' >/tmp/c
		/usr/sbin/sshd -t -f /tmp/c && ssh -i /tmp/k -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ProxyCommand='/usr/sbin/sshd -i -f /tmp/c' root@box echo in; echo $?`},
	{Name: "cron", Wrote: "124", Script: `ln -s /run /var/run; mkdir -p /var/spool/cron/crontabs; timeout 1 cron -f; echo $?`},
	{Name: "chrony", Wrote: "chronyd exiting", Script: `mkdir -p -m 750 /run/chrony; chronyd -Q -u root -f /dev/null -t 1 'server 127.0.0.1' 2>&1 | cut -c22-; chronyd -u root -d -f /dev/null -t 1 2>&1 | cut -c22-`},

	// Languages.
	{Name: "node", Wrote: "child", Script: `node -e 'const { Worker } = require("worker_threads"); const { execSync } = require("child_process"); const fs = require("fs");
new Worker("require(\"worker_threads\").parentPort.postMessage(1)", { eval: true }).on("message", console.log);
fs.promises.readFile("/etc/passwd").then(b => console.log(b.length)); console.log(execSync("echo child") + "")'`},
	{
		Name: "java", Script: `J=/usr/lib/jvm/java-17-openjdk-amd64/bin; $J/java -version; $J/java -Xmx64m --list-modules | wc -l
		$J/keytool -genkeypair -keyalg RSA -alias a -dname CN=a -keystore /tmp/k -storepass secret1 2>/dev/null; $J/keytool -list -keystore /tmp/k -storepass secret1 2>/dev/null | head -2`,
		Rounds: 2, Varied: "its threads begin when they like",
	},
	{Name: "Go, 64 threads", Wrote: "63 [", Script: `/threads`},
	{
		Name: "perl", Script: `perl -MSocket -e 'socket(my $s, AF_INET, SOCK_STREAM, 0) or print "$!\n"; print pack("N", 7) eq "\0\0\0\7", "\n"; my $p = fork; exit 3 unless $p; wait; print $? >> 8, "\n";
for my $n (134, 153, 156, 159, 163, 164, 167, 172, 173, 175, 177, 178, 179, 180, 212, 246, 248, 249, 253, 298, 304, 310, 321, 323, 425, 428, 442) { $! = 0; my $r = syscall($n, -1, 0, 0, 0, 0); print "$n $r ", $! + 0, "\n" }'`,
		Varies: "numbers of descriptors and keys",
	},
	{Name: "ruby", Wrote: "child", Script: `ruby -e 'require "socket"; require "digest"; puts Digest::SHA256.hexdigest("a"); Thread.new { puts 1 }.join; IO.popen(["echo", "child"]) { |f| puts f.read }; begin; Socket.new(40, 1, 0); puts 1; rescue => e; puts e.class; end'`},
	{Name: "php", Wrote: "child", Script: `php8.2 -r 'echo json_encode([1, hash("sha256", "a")]), PHP_EOL; echo shell_exec("echo child"); file_put_contents("/tmp/a", "b"); echo file_get_contents("/tmp/a"), PHP_EOL;'`},
	{Name: "lua", Wrote: "child", Script: `lua5.4 -e 'print(_VERSION, ("a"):rep(3)); os.execute("echo child"); io.open("/tmp/a", "w"):write("b")'`},

	// Compiled here, one of them for i386.
	{Name: "gcc -m32", Wrote: "4\n", Script: `cd /tmp && cat >a.c <<'END'
#include <errno.h>
#include <stdio.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
static void *thread(void *a) { errno = 0; syscall(SYS_keyctl, 0xffff); printf("%d\n", errno); return a; }
int main(void) {
	pthread_t t;
	pthread_create(&t, 0, thread, 0), pthread_join(t, 0);
	errno = 0, syscall(SYS_personality, 0x40000), printf("%d\n", errno);
	errno = 0, syscall(SYS_unshare, 0x10000000), printf("%d\n", errno);
	errno = 0, syscall(SYS_bpf, 0xffff), printf("%d\n", errno);
	errno = 0, socket(40, SOCK_STREAM, 0), printf("%d\n", errno);
	return sizeof(long);
}
END
		gcc -m32 -o a a.c && ./a; echo $?; gcc -m32 -static -o a a.c && ./a; echo $?; gcc -o a a.c && ./a; echo $?`},
	{Name: "make", Wrote: "c\n", Script: `cd /tmp && printf 'all: a b c\na b c:\n\t@echo $@ >$@; cat $@\n' >Makefile && make -s -j1`},
	{Name: "valgrind", Wrote: "0\n", Script: `valgrind -q true; echo $?`},

	// Debuggers. Under strace they cannot trace.
	{Name: "strace", Wrote: "exited with 3", Script: `strace -f -e trace=none -e signal=none sh -c 'true; exit 3'; echo $?`, Untraceable: traces},
	{Name: "gdb", Wrote: "Breakpoint 1,", Script: `gdb -batch -nx -ex 'set debuginfod enabled off' -ex 'break exit' -ex run -ex kill --args true; echo $?`, Varies: "numbers of processes and addresses", Untraceable: traces},
	{Name: "ltrace", Wrote: "exited", Script: `ltrace -e nothing true; echo $?`, Untraceable: traces},
	{Name: "perf", Wrote: "0\n0\n", Script: `perf stat -e task-clock true >/dev/null 2>&1; echo $?; perf list >/dev/null 2>&1; echo $?`},
	{Name: "bpftool", Script: `bpftool prog list; echo $?; bpftool map create /sys/fs/bpf/a type hash key 4 value 4 entries 1 name a; echo $?; bpftool feature probe kernel >/dev/null 2>&1; echo $?`},

	// Containers in the container.
	{Name: "systemd-nspawn", Script: `mkdir -p /tmp/r/usr && systemd-nspawn -q --register=no --keep-unit -D /tmp/r true; echo $?`},
	{Name: "podman", Script: `podman --root /tmp/p --runroot /tmp/q --storage-driver vfs --cgroup-manager cgroupfs run --rm --network none --rootfs / true; echo $?; killall -q -9 'podman pause'`, Varies: "times and numbers of containers"},
	{Name: "crun", Script: `mkdir -p /tmp/b/rootfs && cd /tmp/b && crun spec && crun --root /tmp/c run x; echo $?; crun spec --rootless >/dev/null 2>&1; crun --root /tmp/c run y; echo $?`},
	{Name: "newuidmap", Script: `unshare -U sleep 0.3 & sleep 0.1; newuidmap $! 0 0 1; echo $?; wait $!; echo $?`, Varies: "numbers of processes"},
	{Name: "fakeroot", Wrote: "5 5", Script: `fakeroot-sysv sh -c 'touch /tmp/a; chown 5:5 /tmp/a; ls -ln /tmp/a | cut -d" " -f3,4'; echo $?`},
	{Name: "sudo", Wrote: "0\n0\n", Script: `sudo -n id -u; echo $?; setpriv --reuid=65534 --regid=65534 --clear-groups sudo -n true; echo $?`, Setuid: true},
	{Name: "su", Script: `su -s /bin/sh -c 'id -u' nobody; echo $?; setpriv --reuid=65534 --regid=65534 --clear-groups su -c true </dev/null; echo $?`, Setuid: true},

	// What changes the machine, without the capabilities to change it.
	{Name: "ip", Wrote: " lo", Script: `ip -o link show lo | cut -d: -f2; ip link add d0 type dummy; echo $?; ip netns add n; echo $?; ip vrf exec none true; echo $?`},
	{Name: "iptables, nft", Script: `iptables-nft -S; echo $?; iptables-legacy -S; echo $?; nft list ruleset; echo $?`},
	{Name: "ping", Wrote: "1\n", Script: `ping -c 1 -w 1 127.0.0.1 | grep -c ttl=`},
	{Name: "tcpdump", Script: `tcpdump --version; timeout 1 tcpdump -c 1 -n -i lo port 1 2>/dev/null; echo $?`},
	{Name: "date, hwclock", Script: `date -s @1 >/dev/null; echo $?; hwclock --systohc; echo $?; hwclock --show; echo $?`},
	{Name: "dmesg", Script: `dmesg >/dev/null; echo $?; dmesg -n 4; echo $?; dmesg -c >/dev/null; echo $?`},
	{Name: "swapon", Script: `head -c 1000000 /dev/zero >/tmp/s; chmod 600 /tmp/s; mkswap /tmp/s >/dev/null; swapon /tmp/s; echo $?; swapoff /tmp/s; echo $?`},
	{Name: "quota", Script: `quotaon -p /; echo $?; quota; echo $?; repquota /; echo $?`},
	{Name: "kmod", Script: `cp /usr/bin/env /tmp/a.ko; insmod /tmp/a.ko; echo $?; rmmod a; echo $?; lsmod | head -1`},
	{Name: "kexec", Script: `echo a >/tmp/k; kexec -l /tmp/k; echo $?; kexec -s -l /tmp/k; echo $?; kexec -u; echo $?`},
	{Name: "pivot_root", Script: `mkdir -p /tmp/a/b; pivot_root /tmp/a /tmp/a/b; echo $?; chroot / true; echo $?; losetup -f; echo $?; fsfreeze -f /tmp; echo $?`},
	{Name: "chrt", Script: `chrt -f 1 true; echo $?; chrt -b 0 true; echo $?; ionice -c 3 true; echo $?; taskset 1 true; echo $?; nice -n -1 true; prlimit --nofile=100 true; echo $?; echo $?`},
	{Name: "lsns", Script: `lsns -n -o TYPE -p $$; ipcmk -M 4096 >/dev/null; ipcs -m | wc -l; findmnt -n -o FSTYPE /proc; lscpu >/dev/null; echo $?`},
	{Name: "capsh", Script: `capsh --print | head -1; capsh --drop=cap_chown -- -c 'echo a'; setcap cap_net_raw=ep /tmp/none; echo $?; capsh --noamb --has-p=cap_sys_admin; echo $?`},
	{Name: "numactl", Script: `numactl --membind=0 true; echo $?; numactl --interleave=0 true; echo $?; migratepages $$ 0 0; echo $?; numactl --hardware >/dev/null; echo $?; numastat >/dev/null; echo $?`},
	{Name: "busybox", Script: `for c in 'unshare -m true' 'unshare -U true' 'nsenter -t 1 -m true' 'mount -t tmpfs x /opt' 'umount /opt' 'dmesg -n 4' 'date -s @1' 'chroot / true' 'hostname a' 'swapoff /tmp/a' 'losetup -f' 'ionice -c3 true' 'insmod /tmp/a.ko' 'adjtimex -q'; do busybox $c >/dev/null; echo $c: $?; done`},

	// Input and output in large and small.
	{Name: "fio", Wrote: "libaio 0", Script: `for e in io_uring libaio psync mmap splice; do fio --name=a --ioengine=$e --size=256k --filename=/tmp/f --rw=randrw --output=/tmp/o >/dev/null 2>&1; echo $e $?; done`},
	{Name: "tar", Wrote: "passwd.master", Script: `cd /usr/share/base-passwd && tar -cf /tmp/a.tar . && tar -tf /tmp/a.tar | sort; mkdir /tmp/x; tar -xpf /tmp/a.tar -C /tmp/x --xattrs --numeric-owner; ls /tmp/x; tar -C / -cJf /tmp/a.txz etc/passwd && tar -tJf /tmp/a.txz`},
	{Name: "rsync", Wrote: "passwd.master\n0", Script: `rsync -aAX --numeric-ids /usr/share/base-passwd/ /tmp/r/; ls /tmp/r; rsync -a --sparse -H --delete /usr/share/base-passwd/ /tmp/r/; echo $?`},
	{Name: "cp", Wrote: "2\n", Script: `cp -a --reflink=auto --sparse=always /usr/bin/env /tmp/d; cmp /usr/bin/env /tmp/d; mv /tmp/d /tmp/e; ln /tmp/e /tmp/f; stat -c %h /tmp/f; touch -d @1 /tmp/f; sync -f /tmp; df /tmp >/dev/null; du -s /tmp/e >/dev/null; install -m 4755 /tmp/f /tmp/g; mknod /tmp/n c 1 3; mkfifo /tmp/p; timeout 1 tail -f --pid=1 /tmp/g >/dev/null; echo $?`},
	{Name: "find", Wrote: "child", Script: `find /usr/share/base-passwd -type f -exec gzip -c {} + | gunzip | sha256sum; find /etc -maxdepth 1 -name 'p*' | sort | xargs -P 2 -n 1 echo | sort; grep -c root /etc/passwd; sed s/a/b/ /etc/group | head -1; gawk 'BEGIN { system("echo child") }'; bash -c 'echo <(true) >/dev/null; ulimit -n'`},
	{Name: "openssl", Wrote: "SHA2-256", Script: `openssl genpkey -algorithm ed25519 | wc -l; echo a | openssl dgst -sha256; echo a | openssl enc -engine afalg -aes-128-cbc -K 00 -iv 00 2>/dev/null | wc -c`},
	{Name: "jq", Wrote: "3\n", Script: `echo '{"a": [1, 2]}' | jq -c '.a | add'`},
	{Name: "dpkg, apt", Wrote: "Unpacking a", Script: `mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/apt/lists/partial /var/cache/apt/archives/partial; touch /var/lib/dpkg/status
		mkdir -p /tmp/a/DEBIAN; printf 'Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a\nDescription: a\n' >/tmp/a/DEBIAN/control; dpkg-deb -b /tmp/a /tmp/a.deb
		dpkg --force-all --instdir=/tmp/i -i /tmp/a.deb; dpkg -l a | tail -1; apt-get --version | head -1; apt-get -s install a; echo $?; apt-cache policy a`},
	{Name: "ps", Wrote: "Linux", Script: `ps -o comm= -p $$; pstree -A $$ >/dev/null; echo $?; killall -0 none; echo $?; sysctl -n kernel.ostype; sysctl -w kernel.hostname=a; echo $?; free >/dev/null; uptime >/dev/null; echo $?; pmap $$ >/dev/null; echo $?; lsof -p $$ >/dev/null 2>&1; echo $?`},

	// As many different calls as there are.
	{
		Name: "stress-ng, calls", Script: `stress-ng --seed 1 --temp-path /tmp --personality 1 --personality-ops 2 --key 1 --key-ops 2 --get 1 --get-ops 2 --handle 1 --handle-ops 2 --userfaultfd 1 --userfaultfd-ops 2 --io-uring 1 --io-uring-ops 2 --kcmp 1 --kcmp-ops 2 --numa 1 --numa-ops 2 --ptrace 1 --ptrace-ops 2 --seccomp 1 --seccomp-ops 2 --chroot 1 --chroot-ops 2 --timeout 10 >/dev/null 2>&1; echo $?`,
		Varies: "what was done in the time", Rounds: 3, Varied: "it stops when its time is over",
	},
	{
		Name: "stress-ng, clone", Script: `stress-ng --seed 1 --temp-path /tmp --clone 1 --clone-ops 20 --unshare 1 --unshare-ops 4 --sigrt 1 --sigrt-ops 100 --timer 1 --timer-ops 100 --timeout 10 >/dev/null 2>&1; echo $?`,
		Varies: "what was done in the time", Rounds: 3, Varied: "it stops when its time is over",
	},
}
