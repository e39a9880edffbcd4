package filter

import "golang.org/x/sys/unix"

// Answers is what a listener does with the calls that a filter notifies it of, where that
// is known. It stands for Batten's own listener and for no other.
type Answers struct {
	// Errnos is the program of the profile with whose errnos the listener answers. Where
	// that program says no errno, the listener answers with ENOSYS. If Errnos is nil, the
	// listener lets every call run (SECCOMP_USER_NOTIF_FLAG_CONTINUE).
	Errnos *Program
}

// Answered returns p as the kernel acts on it with such a listener: NOTIFY counts as ERRNO
// with that errno, or as LOG where the listener lets the call run. [Equal], [Subsumes] and
// [Diff] then compare with it. That nobody listens is no looser than an errno: the call
// fails with ENOSYS.
func (p *Program) Answered(a Answers) *Program {
	out := *p
	out.Answers = &a
	return &out
}

func (a *Answers) by() *Program {
	if a == nil {
		return nil
	}
	return a.Errnos
}

// answered returns what becomes of a call for which the program returns r.
func (w *walker) answered(r Result) ref {
	answers := w.program.Answers
	switch {
	case w.errnos && r.Action != unix.SECCOMP_RET_ERRNO:
		return w.leaf(Result{unix.SECCOMP_RET_ERRNO, uint16(unix.ENOSYS)})
	case r.Action != unix.SECCOMP_RET_USER_NOTIF || answers == nil:
		return w.leaf(w.heard(w.program, r))
	case answers.Errnos == nil:
		return w.leaf(Result{unix.SECCOMP_RET_LOG, 0})
	}
	by := walker{space: w.space, program: answers.Errnos, call: w.call, errnos: true}
	return by.from(point{})
}

// answer returns the same for one call.
func (a *Answers) answer(c Call, r Result) (Result, error) {
	if a == nil || r.Action != unix.SECCOMP_RET_USER_NOTIF {
		return r, nil
	}
	if a.Errnos == nil {
		return Result{unix.SECCOMP_RET_LOG, 0}, nil
	}
	own, err := a.Errnos.Run(c)
	if err == nil && own.Action != unix.SECCOMP_RET_ERRNO {
		own = Result{unix.SECCOMP_RET_ERRNO, uint16(unix.ENOSYS)}
	}
	return own, err
}
