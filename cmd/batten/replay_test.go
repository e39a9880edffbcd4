package main

import (
	"fmt"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Of calls that only other machines have no argument is asked for: the recorder would refuse it.
func TestLookedAt(t *testing.T) {
	one := []specs.LinuxSeccompArg{{Index: 1, Value: 1, Op: specs.OpEqualTo}}
	got := lookedAt(&specs.LinuxSeccomp{Syscalls: []specs.LinuxSyscall{
		{Names: []string{"s390_guarded_storage", "ioctl", "nosuch"}, Args: one},
		{Names: []string{"ioctl"}, Args: one},
	}})
	if fmt.Sprint(got) != "[{ioctl 1}]" {
		t.Errorf("got %v", got)
	}
}
