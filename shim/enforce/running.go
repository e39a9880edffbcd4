package enforce

import (
	"context"
	"sync"

	"github.com/containerd/log"
)

// Running is a container that the runtime has made and not yet deleted.
type Running struct {
	enforcer *Enforcer
	prepared *Prepared
	runtime  executable

	mu       sync.Mutex // Started and Gone may come from two calls at once
	cancel   context.CancelFunc
	attested chan struct{} // closed when no attestation of the init process goes on
}

// Created notes the process that the runtime made for p, which is still the
// runtime's own: it waits for start.
func (e *Enforcer) Created(p *Prepared, pid int) *Running {
	done := make(chan struct{})
	close(done)
	r := &Running{enforcer: e, prepared: p, cancel: func() {}, attested: done}
	r.setPid(pid)
	return r
}

func (r *Running) setPid(pid int) {
	rec := r.prepared.Record
	rec.Pid, rec.StartTime = pid, startTime(pid)
	r.runtime = executableOf(pid)
}

// Started has the container's first process attested and written to the
// record, and returns at once. Kill is called if it runs without the filter
// that it must have. A restore makes the process only now: pid says which.
func (r *Running) Started(pid int, kill func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.prepared.Record
	if pid != rec.Pid {
		r.setPid(pid)
		r.runtime = executable{} // it may have left the runtime already
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.attested = cancel, make(chan struct{})
	done := r.attested
	go func() {
		defer close(done)
		defer cancel()
		r.attest(ctx, kill)
	}()
}

// attest looks at the first process until it is known whether it is filtered.
func (r *Running) attest(ctx context.Context, kill func()) {
	rec := r.prepared.Record
	entry := log.L.WithFields(log.Fields{"id": rec.ID, "pid": rec.Pid})
	if r.prepared.Required() {
		rec.Attestation = subject{rec.Pid, r.runtime, fileOf(rec.Runtime)}.attest(ctx)
	}
	switch rec.Attestation.State {
	case Pending:
		return // the container is being deleted
	case Failed:
		entry.Error("batten: killing the container: it runs without the filter that the policy demands: " + rec.Attestation.Detail)
		kill()
	default:
		entry.WithField("state", rec.Attestation.State).Debug("batten: attested")
	}
	if err := r.enforcer.Records.Write(rec); err != nil {
		entry.WithError(err).Error("batten: the attestation is not in the record")
	}
}

// Attest attests the process that a runtime's command line has made for a record
// and may already have started, and writes the record. Kill is called if it
// runs without the filter that it must have.
func (e *Enforcer) Attest(ctx context.Context, rec *Record, pid int, kill func()) {
	r := e.Created(&Prepared{Record: rec}, pid)
	if executableOf(pid) != fileOf(rec.Runtime) {
		r.runtime = executable{} // it has left the runtime already
	}
	r.attest(ctx, kill)
}

// Exec attests a further process of the container, and returns at once. Kill
// is called if it runs without the filter that the container's must have.
func (r *Running) Exec(pid int, kill func()) {
	if !r.prepared.Required() {
		return
	}
	go func() {
		if a := (subject{pid: pid, binary: fileOf(r.prepared.Record.Runtime)}).attest(context.Background()); a.State == Failed {
			log.L.WithField("id", r.prepared.Record.ID).Error("batten: killing an exec: it runs without the container's filter: " + a.Detail)
			kill()
		}
	}()
}

// Gone forgets the container.
func (r *Running) Gone() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel()
	<-r.attested
	return r.enforcer.Forget(r.prepared.Record.Owner(), r.prepared.Record.ID)
}

// Forget removes the record of a container that is not, or never was, running.
func (e *Enforcer) Forget(owner, id string) error {
	return e.Records.Remove(owner, id)
}
