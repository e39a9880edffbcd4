package observe

// program is one of Debian's, and what it is to do: a shell script, run in a root file system
// that cannot be written to, except for /tmp.
type program struct {
	name   string
	script string
	// wrote is a part of what it writes without a filter, if it has done its work.
	wrote string
	// capabilities are added to those of a container.
	capabilities []string
	// varies says why two runs of the same do not write the same; the output is not compared.
	varies string
	// rounds is how often it is run to see all kinds of calls that it makes, where not each
	// run makes all; 0 is once. varied says why.
	rounds int
	varied string
}

// few are run by make test. They need what engines/build.sh calls few.
var few = []program{
	{name: "redis", wrote: "OK\n1\n", script: `redis-server --port 0 --unixsocket /tmp/r --save '' --daemonize no >/tmp/log & s=$!
		until redis-cli -s /tmp/r ping >/dev/null 2>&1; do sleep 0.05; done
		redis-cli -s /tmp/r set a b; redis-cli -s /tmp/r incr n; redis-cli -s /tmp/r shutdown nosave; wait $s`},
	{name: "python3", wrote: "thread", script: `python3 -c 'import ctypes, hashlib, json, os, socket, subprocess, threading
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
	{name: "gcc", wrote: "made", script: `cd /tmp && printf '#include <stdio.h>\nint main(void) { puts("made"); return 7; }\n' >a.c && gcc -O2 -o a a.c && ./a`},
	{name: "git", wrote: "1 file changed", script: `cd /tmp && export HOME=/tmp GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000' &&
		git init -q -b main r && cd r && git config user.name n && git config user.email e && echo a >a &&
		git add a && git commit -q -m a && git gc -q && git log --stat && git clone -q . ../c && git -C ../c fsck`},
	{name: "sqlite3", wrote: "wal\n6\n", script: `sqlite3 /tmp/db 'create table t (a); insert into t values (1), (2); pragma journal_mode = wal; insert into t values (3); select sum(a) from t; vacuum'`},
	{name: "bubblewrap", script: `bwrap --ro-bind / / --dev /dev --unshare-all true; echo $?; bwrap --unshare-user --ro-bind / / id -u; echo $?`},
	{name: "unshare", wrote: "user 0", script: `for n in user mount uts ipc net pid cgroup time; do unshare --$n true; echo $n $?; done; unshare -Ur id -u; nsenter -t 1 -u true; echo $?`},
	{name: "mount", script: `mount -t tmpfs tmpfs /opt; echo $?; mount --bind /usr /opt; echo $?; umount /opt; echo $?; mount --make-private /; echo $?`},
	{name: "mount, SYS_ADMIN", wrote: "a\n0", capabilities: []string{"CAP_SYS_ADMIN"}, script: `mount -t tmpfs tmpfs /opt && echo a >/opt/a && cat /opt/a && umount /opt; echo $?; unshare -m true; keyctl id @u; echo $?`},
	{
		name: "keyctl", script: `keyctl new_session s; keyctl add user a b @s; keyctl list @s; keyctl search @s user a; keyctl clear @s; echo $?`,
		varies: "serial numbers of keys",
	},
	{name: "setarch", wrote: "i686", script: `setarch -R echo a; setarch --32bit uname -m; setarch i686 uname -m; setarch --uname-2.6 uname -s; setarch --addr-compat-layout echo b; echo $?`},
	{name: "i386 calls", wrote: "keyctl: OK", script: `/probe call i386_getpid i386_keyctl keyctl unshare bpf perf_event_open`},
}
