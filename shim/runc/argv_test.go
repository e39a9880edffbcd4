package runc

import (
	"strings"
	"testing"
)

// argvCases are command lines and what is understood of them.
var argvCases = []struct{ args, runc, crun, other string }{
	{args: "create --bundle /b id", runc: "/b id", crun: "/b id", other: "/b id"},
	{args: "create -b /b id", runc: "/b id", crun: "/b id", other: "/b id"},
	{args: "create --bundle=/b --pid-file=/p id", runc: "/b id", crun: "/b id", other: "/b id"},
	{args: "create id", runc: " id", crun: " id", other: " id"},
	{args: "create -- id", runc: " id", crun: " id", other: " id"},
	{
		args: "--root /r --log /l --log-format json create --bundle /b id", runc: "/b id",
		crun: "/b id", other: "/b id",
	},
	{args: "-- create --bundle /b id", runc: "/b id", crun: "/b id", other: "/b id"},
	{args: "run -d --bundle /b id", runc: "/b id", crun: "/b id", other: "/b id"},
	{
		args: "restore --image-path /i --bundle /b id", runc: "/b id", crun: "/b id",
		other: "/b id",
	},
	{
		args: "create --bundle create id", runc: "create id", crun: "create id",
		other: "create id",
	},
	{
		args: "create --bundle --bundle=/x id", runc: "--bundle=/x id", crun: "--bundle=/x id",
		other: "--bundle=/x id",
	},
	{args: "create -bundle /b id", runc: "/b id", crun: "undle /b"},
	{args: "create -b=/b id", runc: "/b id", crun: "=/b id"},
	{args: "create -b/b id", crun: "/b id"},
	{args: "create --b /b id", runc: "/b id"},
	{args: "create id --bundle /b", runc: "/b id"},
	{args: "create id -- --bundle /b"},
	{args: "create a b"},
	{args: "create --bun /b id"},
	{args: "create --config /c id"},
	{args: "create -f /c id"},
	{args: "--debug=false create --bundle /b id", runc: "/b id"},
	{args: "--debug=true --systemd-cgroup=0 create --bundle /b id", runc: "/b id"},
	{args: "--debug=no create --bundle /b id"},
	{args: "--debug= create --bundle /b id"},
	{args: "--debug false create --bundle /b id", runc: "-", crun: "-", other: "-"},
	{
		args: "create --no-mount-fallback --bundle /b id", runc: "/b id", crun: "/b id",
		other: "/b id",
	},
	{args: "run --no-mount-fallback=false --bundle /b id", runc: "/b id"},
	{args: "create --detach=false id", runc: " id"},
	{args: "create --keep --", crun: "-", other: "-"},
	{args: "run --no-mount-fallback --detach --", crun: "-", other: "-"},
	{args: "create -d=maybe id"},
	{args: "create --bundle"},
	{args: "--unknown x create --bundle /b id"},
	{args: "--unknown create --bundle /b id"},
	// What makes nothing.
	{args: "state id", runc: "-", crun: "-", other: "-"},
	{args: "--unknown x state id", runc: "-", crun: "-", other: "-"},
	{args: "exec id run create", runc: "-", crun: "-", other: "-"},
	{args: "create", runc: "-", crun: "-", other: "-"},
	{args: "create --help", runc: "-", crun: "-", other: "-"},
	{runc: "-", crun: "-", other: "-"},
}

// What each spelling means to each runtime; empty want means that it is refused.
func TestParse(t *testing.T) {
	for _, tt := range argvCases {
		for runtime, want := range map[string]string{"/usr/sbin/runc": tt.runc, "/usr/bin/crun": tt.crun, "/opt/youki": tt.other} {
			if runtime == "/usr/bin/crun" && tt.crun == "undle /b" {
				want = "" // -b undle, and then two arguments
			}
			call, err := Parse(strings.Fields(tt.args), runtime)
			got := ""
			switch {
			case err != nil:
			case !call.Makes():
				got = "-"
			default:
				got = call.Bundle + " " + call.ID
			}
			if got != want {
				t.Errorf("%s %s: got %q (%v), want %q", runtime, tt.args, got, err, want)
			}
		}
	}
}

// Detach, however it is written, and not where it is something else's value.
func TestParseDetach(t *testing.T) {
	for args, want := range map[string]bool{
		"run -d id": true, "run --detach id": true, "restore --detach id": true,
		"run id": false, "run --bundle --detach id": false,
	} {
		for _, runtime := range []string{"runc", "crun"} {
			if c, err := Parse(strings.Fields(args), runtime); err != nil || c.Detach != want {
				t.Errorf("%s %s: Detach %v (%v), want %v", runtime, args, c.Detach, err, want)
			}
		}
	}
}

// The globals stay with the record, and start and delete name their container.
func TestParseOthers(t *testing.T) {
	for args, want := range map[string]string{
		"--root /r --systemd-cgroup delete --force id": "--root /r --systemd-cgroup|delete|/r|id",
		"--root=/r start id":                           "--root=/r|start|/r|id",
		"start a b":                                    "|start||",
		"kill id KILL":                                 "|kill||",
	} {
		c, err := Parse(strings.Fields(args), "runc")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join([]string{strings.Join(c.Globals, " "), c.Command, c.Root, c.ID}, "|"); got != want {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for args, want := range map[string]string{
		"--unknown create id":  `flag "--unknown" is unknown to Batten, so what follows it could mean anything`,
		"create -bundle /b id": `create: flag "-bundle" is read in different ways by runtimes; write --name=value`,
		"create a b":           `create: arguments after the container's id: ["b"]`,
		"create --detach=x a":  `create: flag "--detach=x" takes no value`,
		"create --bundle":      `create: flag "--bundle" needs a value`,
	} {
		if _, err := Parse(strings.Fields(args), "youki"); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", args, err, want)
		}
	}
}

// FuzzParse: nothing that could make a container is passed over.
func FuzzParse(f *testing.F) {
	f.Add("--root /r create --bundle /b id")
	f.Add("create -b=/b id")
	f.Add("-- run -- id")
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, " ")
		for _, d := range []dialect{either, goFlags, getopt} {
			c, err := parse(args, d)
			if err != nil {
				continue
			}
			if c.Makes() != (makes(c.Command) && c.ID != "") {
				t.Fatalf("%q: %+v", args, c)
			}
			// What all runtimes read alike, each does.
			if d == either && c.Makes() {
				for _, one := range []dialect{goFlags, getopt} {
					if o, err := parse(args, one); err != nil || o.Bundle != c.Bundle || o.ID != c.ID {
						t.Fatalf("%q: %+v, but dialect %d has %+v (%v)", args, c, one, o, err)
					}
				}
			}
		}
	})
}

// A truth value after a flag that takes none counts as runc counts it.
func TestTruthValues(t *testing.T) {
	for _, tt := range []struct {
		args string
		want bool
	}{
		{args: "run id", want: false},
		{args: "run -d id", want: true},
		{args: "run --detach=true id", want: true},
		{args: "run --detach=false id", want: false},
		{args: "run id -d=F", want: false},
	} {
		if call, err := Parse(strings.Fields(tt.args), "/usr/sbin/runc"); err != nil || call.Detach != tt.want {
			t.Errorf("%s: got %+v (%v), want %v", tt.args, call, err, tt.want)
		}
	}
}
