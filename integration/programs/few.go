package programs

// Few are run by make test. They need what engines/build.sh calls few.
var Few = []Program{
	{Name: "redis", Wrote: "OK\n1\n", Script: `redis-server --port 0 --unixsocket /tmp/r --save '' --daemonize no >/tmp/log & s=$!
		until redis-cli -s /tmp/r ping >/dev/null 2>&1; do sleep 0.05; done
		redis-cli -s /tmp/r set a b; redis-cli -s /tmp/r incr n; redis-cli -s /tmp/r shutdown nosave; wait $s`},
	{Name: "python3", Wrote: "thread", Script: `python3 -c 'import ctypes, hashlib, json, os, socket, subprocess, threading
print(json.dumps({"a": hashlib.sha256(b"a").hexdigest()}), os.uname().sysname)
t = threading.Thread(target=lambda: print("thread")); t.start(); t.join()
print(subprocess.run(["echo", "child"], capture_output=True).stdout)
for family in (socket.AF_VSOCK, socket.AF_ALG, socket.AF_NETLINK):
    try: print(socket.socket(family, socket.SOCK_RAW if family == socket.AF_NETLINK else socket.SOCK_SEQPACKET if family == socket.AF_ALG else socket.SOCK_STREAM).family)
    except OSError as e: print(e)
libc = ctypes.CDLL(None, use_errno=True)
for p in (0, 8, 0x20000, 0x20008, 0xffffffff, 0x40000):
    print(hex(p), hex(libc.personality(p)), ctypes.get_errno())
print(libc.unshare(0x10000000), ctypes.get_errno())'`},
	{Name: "gcc", Wrote: "made", Script: `cd /tmp && printf '#include <stdio.h>\nint main(void) { puts("made"); return 7; }\n' >a.c && gcc -O2 -o a a.c && ./a`},
	{Name: "git", Wrote: "1 file changed", Script: `cd /tmp && export HOME=/tmp GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000' &&
		git init -q -b main r && cd r && git config user.name n && git config user.email e && echo a >a &&
		git add a && git commit -q -m a && git gc -q && git log --stat && git clone -q . ../c && git -C ../c fsck`},
	{Name: "sqlite3", Wrote: "wal\n6\n", Script: `sqlite3 /tmp/db 'create table t (a); insert into t values (1), (2); pragma journal_mode = wal; insert into t values (3); select sum(a) from t; vacuum'`},
	{Name: "bubblewrap", Script: `bwrap --ro-bind / / --dev /dev --unshare-all true; echo $?; bwrap --unshare-user --ro-bind / / id -u; echo $?`},
	{Name: "unshare", Wrote: "user 0", Script: `for n in user mount uts ipc net pid cgroup time; do unshare --$n true; echo $n $?; done; unshare -Ur id -u; nsenter -t 1 -u true; echo $?`},
	{Name: "mount", Script: `mount -t tmpfs tmpfs /opt; echo $?; mount --bind /usr /opt; echo $?; umount /opt; echo $?; mount --make-private /; echo $?`},
	{Name: "mount, SYS_ADMIN", Wrote: "a\n0", Capabilities: []string{"CAP_SYS_ADMIN"}, Script: `mount -t tmpfs tmpfs /opt && echo a >/opt/a && cat /opt/a && umount /opt; echo $?; unshare -m true; keyctl id @u; echo $?`},
	{
		Name: "keyctl", Script: `keyctl new_session s; keyctl add user a b @s; keyctl list @s; keyctl search @s user a; keyctl clear @s; echo $?`,
		Varies: "serial numbers of keys",
	},
	{Name: "setarch", Wrote: "i686", Script: `setarch -R echo a; setarch --32bit uname -m; setarch i686 uname -m; setarch --uname-2.6 uname -s; setarch --addr-compat-layout echo b; echo $?`},
	{Name: "i386 calls", Wrote: "keyctl: OK", Script: `/probe call i386_getpid i386_keyctl keyctl unshare bpf perf_event_open`},
}
