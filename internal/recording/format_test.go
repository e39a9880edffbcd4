package recording_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/reader"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Who reads a format reads the profile that was written.
func TestEncode(t *testing.T) {
	r := container(t, "a", "x86_64 socket 0=2 0=10", "x86_64 clone3 0=0x10000000", "x86 write")
	made, err := recording.Profile([]*recording.Recording{r}, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for format, engines := range map[string][]reader.Engine{
		recording.OCI:    {reader.AsWritten, reader.Containerd, reader.Docker, reader.Podman, reader.CRIO},
		recording.Docker: {reader.AsWritten, reader.Docker, reader.Podman, reader.CRIO},
		recording.SPO:    {reader.AsWritten},
	} {
		text, err := recording.Encode(made.Seccomp, format, "web")
		if err != nil {
			t.Fatal(format, err)
		}
		if named := strings.Contains(string(text), "\n  name: web\n"); named != (format == recording.SPO) {
			t.Errorf("%s has the name: %v", format, named)
		}
		for _, engine := range engines {
			file := "web.json"
			if format == recording.SPO {
				file = "web.yaml"
			}
			p, findings := engine.Read(file, text)
			if p == nil || len(findings) > 0 {
				t.Errorf("%s, read by %s: %v\n%s", format, engine, findings, text)
				continue
			}
			if got := p.Resolve(profile.Target{GOARCH: "amd64"}); !reflect.DeepEqual(got, made.Seccomp) {
				t.Errorf("%s, read by %s, is\n%s\nand was\n%s", format, engine, profile.Encode(got), profile.Encode(made.Seccomp))
			}
		}
	}
}

// What a format cannot hold is refused.
func TestEncodeErrors(t *testing.T) {
	zero, nosys := uint(0), uint(38)
	rule := func(r specs.LinuxSyscall) specs.LinuxSeccomp {
		r.Names, r.Action = []string{"prctl"}, specs.ActErrno
		return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{r}}
	}
	const cannot = "a SeccompProfile of the Security Profiles Operator cannot hold "
	for _, tt := range []struct {
		name, format string
		profile      specs.LinuxSeccomp
		err          string
	}{
		{name: "an errno", format: recording.SPO, profile: rule(specs.LinuxSyscall{ErrnoRet: &nosys})},
		{name: "an errno of 0", format: recording.SPO, profile: rule(specs.LinuxSyscall{ErrnoRet: &zero}), err: cannot + "an errno of 0; write it as oci"},
		{name: "a default errno", format: recording.SPO, profile: specs.LinuxSeccomp{DefaultAction: specs.ActErrno, DefaultErrnoRet: &nosys}, err: cannot + "the errno of defaultAction; write it as oci"},
		{name: "no flags", format: recording.SPO, profile: specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Flags: []specs.LinuxSeccompFlag{}}, err: cannot + "an empty list of flags; write it as oci"},
		{name: "a listener", format: recording.SPO, profile: specs.LinuxSeccomp{DefaultAction: specs.ActErrno, ListenerPath: "/run/l"}, err: cannot + "a listener of the node; write it as oci"},
		{
			name: "64 bits", format: recording.SPO, profile: rule(specs.LinuxSyscall{Args: []specs.LinuxSeccompArg{{Value: 1<<64 - 1, Op: specs.OpEqualTo}}}),
			err: cannot + "the value 18446744073709551615 of prctl: the API server reads 63 bits; write it as oci",
		},
		{name: "no flags, for Docker", format: recording.Docker, profile: specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Flags: []specs.LinuxSeccompFlag{}}, err: "the format of Docker cannot hold an empty list of flags; write it as oci"},
		{name: "another format", format: "toml", err: `no profile is written as "toml"; write oci, docker or spo`},
		{name: "no flags, as runtimes read it", format: recording.OCI, profile: specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Flags: []specs.LinuxSeccompFlag{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := recording.Encode(tt.profile, tt.format, "web")
			if got := errorText(err); got != tt.err {
				t.Errorf("error %q, want %q", got, tt.err)
			}
			if err == nil && !strings.HasSuffix(string(text), "\n") {
				t.Errorf("no newline at the end of %q", text)
			}
		})
	}
}
