package filter

import (
	"slices"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// listeners numbers the listeners of all programs, from 1 on. It is nil where one is
// unknown: then all count as one.
func listeners(stacks []Stack) map[string]uint16 {
	out := make(map[string]uint16)
	for _, stack := range stacks {
		for _, p := range stack {
			switch {
			case !p.notifies(), p.Answers != nil:
			case p.Listener == "":
				return nil
			case out[p.Listener] == 0:
				out[p.Listener] = uint16(len(out) + 1)
			}
		}
	}
	return out
}

func (p *Program) notifies() bool {
	return slices.ContainsFunc(p.Instructions, func(in unix.SockFilter) bool {
		return in.Code == bpf.Return && result(in.K).Action == unix.SECCOMP_RET_USER_NOTIF
	})
}

// heard returns a program's result with its listener.
func (s *space) heard(p *Program, r Result) Result {
	if r.Action == unix.SECCOMP_RET_USER_NOTIF {
		r.Data = s.listeners[p.Listener]
	}
	return r
}
