package filter_test

import (
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// NOTIFY counts as what the listener answers, and only where that is said.
func TestAnswered(t *testing.T) {
	saying := func(action specs.LinuxSeccompAction, errno uint) *filter.Program {
		s := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: action}}}
		if action == specs.ActErrno {
			s.Syscalls[0].ErrnoRet = &errno
		}
		if action == specs.ActNotify {
			s.ListenerPath = "/run/listener.sock"
		}
		p, err := filter.Compile(&s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	notify, denied, other := saying(specs.ActNotify, 0), saying(specs.ActErrno, 13), saying(specs.ActErrno, 1)
	nosys, logged, killed := saying(specs.ActErrno, 38), saying(specs.ActLog, 0), saying(specs.ActKillProcess, 0)
	for _, test := range []struct {
		name   string
		is     *filter.Program
		equals *filter.Program
		equal  bool
	}{
		{name: "answered with its errno", is: notify.Answered(filter.Answers{Errnos: denied}), equals: denied, equal: true},
		{name: "answered with another errno", is: notify.Answered(filter.Answers{Errnos: other}), equals: denied},
		{name: "answered where there is no errno", is: notify.Answered(filter.Answers{Errnos: killed}), equals: nosys, equal: true},
		{name: "let through", is: notify.Answered(filter.Answers{}), equals: logged, equal: true},
		{name: "let through is not denied", is: notify.Answered(filter.Answers{}), equals: denied},
		{name: "answered by nobody that is known", is: notify, equals: denied},
	} {
		w, err := filter.Equal(filter.Stack{test.equals}, filter.Stack{test.is})
		if err != nil || (w == nil) != test.equal {
			t.Errorf("%s: %v %v", test.name, w, err)
		}
	}
	floor := filter.Stack{denied}
	if w, err := filter.Subsumes(floor, filter.Stack{notify.Answered(filter.Answers{Errnos: other})}); w != nil || err != nil {
		t.Errorf("a listener that denies is looser: %v %v", w, err)
	}
	for name, p := range map[string]*filter.Program{"lets through": notify.Answered(filter.Answers{}), "is unknown": notify} {
		if w, err := filter.Subsumes(floor, filter.Stack{p}); w == nil || err != nil {
			t.Errorf("a listener that %s is not looser: %v", name, err)
		}
	}
}
