package ociruntime

import (
	"strings"
	"testing"
)

// What each spelling means to each runtime; empty want means that it is refused.
func TestParse(t *testing.T) {
	for _, tt := range []struct{ args, runc, crun, other string }{
		{"create --bundle /b id", "/b id", "/b id", "/b id"},
		{"create -b /b id", "/b id", "/b id", "/b id"},
		{"create --bundle=/b --pid-file=/p id", "/b id", "/b id", "/b id"},
		{"create id", " id", " id", " id"},
		{"create -- id", " id", " id", " id"},
		{"--root /r --log /l --log-format json create --bundle /b id", "/b id", "/b id", "/b id"},
		{"-- create --bundle /b id", "/b id", "/b id", "/b id"},
		{"run -d --bundle /b id", "/b id", "/b id", "/b id"},
		{"restore --image-path /i --bundle /b id", "/b id", "/b id", "/b id"},
		{"create --bundle create id", "create id", "create id", "create id"},
		{"create --bundle --bundle=/x id", "--bundle=/x id", "--bundle=/x id", "--bundle=/x id"},
		{"create -bundle /b id", "/b id", "undle /b", ""},
		{"create -b=/b id", "/b id", "=/b id", ""},
		{"create -b/b id", "", "/b id", ""},
		{"create --b /b id", "/b id", "", ""},
		{"create id --bundle /b", "/b id", "", ""},
		{"create id -- --bundle /b", "", "", ""},
		{"create a b", "", "", ""},
		{"create --bun /b id", "", "", ""},
		{"create --config /c id", "", "", ""},
		{"create -f /c id", "", "", ""},
		{"create --detach=false id", "", "", ""},
		{"create --bundle", "", "", ""},
		{"--unknown x create --bundle /b id", "", "", ""},
		{"--unknown create --bundle /b id", "", "", ""},
		// What makes nothing.
		{"state id", "-", "-", "-"},
		{"--unknown x state id", "-", "-", "-"},
		{"exec id run create", "-", "-", "-"},
		{"create", "-", "-", "-"},
		{"create --help", "-", "-", "-"},
		{"", "-", "-", "-"},
	} {
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
