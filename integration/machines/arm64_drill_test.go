package machines

import "testing"

// TestArm64Drill closes two calls on arm64 in all that runs, by one command: in programs of Go that
// go on with what they do, 300 goroutines and 16 connections on 32 threads and more, in programs that
// make processes all the time, and in some that make the one call all the time. How long that takes
// in the emulator is said, and fails nothing.
func TestArm64Drill(t *testing.T) {
	files := arm64Files(t)
	drill := program(t, "arm64", "../testdata/drill")
	files["busybox.image"] = busybox(t, "arm64", "example.org/busybox:1", map[string][]byte{"probe": program(t, "arm64", "./probe"), "drill": drill})
	play(t, debian12arm64(t, everything), ofDrill, files)
}

const (
	// drilled starts the containers, half of them beside Batten.
	drilled = `run() { how=$1 name=$2; shift 2; ctr -n k8s.io run -d --log-uri file:///run/$name-$how.log --runtime io.containerd.$how.v2 example.org/busybox:1 $name-$how "$@" || exit 1; }; ` +
		`for how in batten runc; do run $how go /bin/drill; run $how forks /bin/busybox sh -c 'while :; do /bin/busybox true; done'; ` +
		`for n in 1 2 3 4; do run $how probe$n /bin/probe; done; done`
	// eachSays waits until all files have a line.
	eachSays = `each() { for file in $1; do until grep -q "$2" $file; do sleep 0.2; done; done; }; `
)

// ofDrill are the drill's steps. The policy leaves containers open, so that the calls are.
var ofDrill = []step{
	{command: `mkdir -p /etc/batten; printf 'version: 1\nabsent: Unconfined\n' >/etc/batten/policy.yaml; batten check`, says: []string{"fine"}},
	{command: drilled},
	{command: eachSays + `each "/run/go-*.log" ready; each "/run/probe*.log" open; grep -h before: /run/go-*.log`, never: "EACCES"},
	{command: "batten block --running --json --errno EACCES --name drill sysinfo 'socket(AF_ALG)'", says: []string{`"closed": 12`, `"tightened"`}, never: `"unreached"`},
	{command: eachSays + `each "/run/probe*.log" closed; for n in 1 2 3 4; do tail -qn 1 /run/probe$n-*.log; done | sort | uniq -c`, says: []string{"8 closed: permission denied"}, never: "open"},
	{command: "ctr -n k8s.io task ls", says: []string{"RUNNING"}, never: "STOPPED"},
	{command: "ctr -n k8s.io task exec --exec-id later forks-batten /bin/busybox true; for how in batten runc; do ctr -n k8s.io task kill go-$how; done; " +
		eachSays + `each "/run/go-*.log" harmed; cat /run/go-*.log | grep -v before | sort | uniq -c`, says: []string{"64 AF_ALG: EACCES", "2 ready", "2 unharmed"}, never: " harmed"},
	{command: "batten unblock drill"},
}
