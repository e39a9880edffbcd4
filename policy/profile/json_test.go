package profile_test

import (
	"encoding/json"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What encoding/json loses would load a filter with SPEC_ALLOW.
func TestEncodeKeepsEmptyFlags(t *testing.T) {
	for _, tt := range []struct{ flags, want string }{
		{flags: ``, want: `{"defaultAction":"SCMP_ACT_LOG"}`},
		{flags: `"flags": [],`, want: `{"defaultAction":"SCMP_ACT_LOG","flags":[]}`},
		{
			flags: `"flags": ["SECCOMP_FILTER_FLAG_LOG"],`,
			want:  `{"defaultAction":"SCMP_ACT_LOG","flags":["SECCOMP_FILTER_FLAG_LOG"]}`,
		},
	} {
		got := profile.Encode(parse(t, `{`+tt.flags+`"defaultAction": "SCMP_ACT_LOG"}`).Resolve(profile.Target{}))
		if string(got) != tt.want {
			t.Errorf("flags %q: got %s, want %s", tt.flags, got, tt.want)
		}
	}
}

// Apart from that it is what encoding/json writes, byte by byte.
func TestEncodeIsRuntimeSpec(t *testing.T) {
	errno, two := uint(38), uint(0)
	odd := specs.LinuxSeccomp{
		DefaultAction: "a\"\\<>&\x01é\xff", DefaultErrnoRet: &two, ListenerPath: "/run/x", ListenerMetadata: "\u2028",
		Syscalls: []specs.LinuxSyscall{
			{Names: []string{"a", "b"}, Action: specs.ActErrno, ErrnoRet: &errno, Args: []specs.LinuxSeccompArg{
				{Index: 5, Value: 1<<64 - 1, ValueTwo: 1<<64 - 2, Op: specs.OpMaskedEqual}, {Op: specs.OpEqualTo},
			}},
			{Names: []string{}, Args: []specs.LinuxSeccompArg{}},
		},
	}
	for _, s := range []specs.LinuxSeccomp{{}, odd, profile.RuntimeDefault(nil), profile.RuntimeDefault([]string{"CAP_SYS_ADMIN"})} {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := profile.Encode(s); string(got) != string(want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Whatever is in a string, it is what encoding/json makes of it.
func TestEncodeStrings(t *testing.T) {
	for c := rune(0); c < 0x180; c++ {
		s := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, ListenerPath: "/run/" + string(c) + "x"}
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := profile.Encode(s); string(got) != string(want) {
			t.Errorf("%q: %s, want %s", c, got, want)
		}
	}
}
