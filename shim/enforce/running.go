package enforce

import (
	"context"
	"sync"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/containerd/log"
)

// Running is a container that the runtime has made and not yet deleted.
type Running struct {
	enforcer *Enforcer
	prepared *Prepared
	runtime  procfs.File

	mu       sync.Mutex         // Started and Gone may come from two calls at once
	cancel   context.CancelFunc // guarded by mu
	attested chan struct{}      // closed when no attestation of the init process goes on; guarded by mu
	early    *early
}

// Prepared returns the container as it was prepared.
func (r *Running) Prepared() *Prepared { return r.prepared }

// Created notes the process that the runtime made for p. The process still executes the
// runtime, and waits for start.
func (e *Enforcer) Created(p *Prepared, pid int) *Running {
	done := make(chan struct{})
	close(done)
	r := &Running{enforcer: e, prepared: p, cancel: func() {}, attested: done}
	r.setPid(pid)
	return r
}

// CompareEarly compares the filter of the container with its profile as soon as the filter is
// installed, if that is before Starting. runc installs it before it waits for start, and so
// does crun without no_new_privs. The process still executes the runtime then: reading the
// filter stops no program, and no program can prevent it.
func (r *Running) CompareEarly() {
	if r.prepared.Required() && !r.prepared.Record.Restored {
		r.early = r.enforcer.compareEarly(r.prepared.Record)
	}
}

// Starting ends CompareEarly, and returns a Refusal if the filter is looser than its profile.
func (r *Running) Starting() error {
	if r.early == nil {
		return nil
	}
	r.early.stop()
	if r.early.found == nil {
		return nil
	}
	return r.enforcer.refuseStart(r.prepared.Record, *r.early.found)
}

// CompareCreated returns a Refusal if the filter of a container that waits for start, in
// process pid, is looser than its profile. If the runtime has not installed the filter yet,
// Attest compares it later.
func (e *Enforcer) CompareCreated(rec *record.Record, pid int) error {
	r := e.Created(&Prepared{Record: rec}, pid)
	if !r.prepared.Required() || rec.Restored {
		return nil
	}
	a, err := e.compareIfThere(rec)
	if err != nil || a == nil {
		return nil // Attest reports it
	}
	return e.refuseStart(rec, *a)
}

// refuseStart returns a Refusal, and writes it into the record, if a says that the container
// must not start.
func (e *Enforcer) refuseStart(rec *record.Record, a record.Attestation) error {
	if a.State != record.Failed {
		return nil
	}
	rec.Attestation = a
	if err := e.Records.Update(rec); err != nil {
		log.L.WithError(err).Error("batten: the attestation is not in the record")
	}
	log.L.WithFields(log.Fields{"id": rec.ID, "pid": rec.Pid}).Error("batten: not starting the container: " + a.Detail)
	return refuse("%s", a.Detail)
}

func (r *Running) setPid(pid int) {
	rec := r.prepared.Record
	rec.Pid, rec.StartTime, rec.PidNamespace = pid, procfs.StartTime(pid), record.PidNamespace()
	r.runtime = procfs.Executable(pid)
}

// Started attests the container's first process in a goroutine, and writes the result into the
// record. It calls kill if the process runs without the filter that it must have. pid is the
// process; a restore has made it only now.
func (r *Running) Started(pid int, kill func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.prepared.Record
	if pid != rec.Pid {
		r.setPid(pid)
		r.runtime = procfs.File{} // it may have left the runtime already
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

// attest waits until it is known whether the first process is filtered.
func (r *Running) attest(ctx context.Context, kill func()) {
	rec := r.prepared.Record
	entry := log.L.WithFields(log.Fields{"id": rec.ID, "pid": rec.Pid})
	if r.prepared.Required() {
		rec.Attestation = subject{rec.Pid, r.runtime, procfs.FileAt(rec.OCIRuntime)}.attest(ctx)
	}
	if rec.Attestation.State == record.Filtered {
		r.compare(ctx)
	}
	switch rec.Attestation.State {
	case record.Pending:
		return // the container is being deleted
	case record.Failed:
		entry.Error("batten: killing the container: it runs without the filter that the policy demands: " + rec.Attestation.Detail)
		kill()
	default:
		entry.WithField("state", rec.Attestation.State).Debug("batten: attested")
	}
	if err := r.enforcer.Records.Update(rec); err != nil {
		entry.WithError(err).Error("batten: the attestation is not in the record")
	}
}

// compare compares the filter of the first process with its profile, if that was not
// done before it started.
func (r *Running) compare(ctx context.Context) {
	rec := r.prepared.Record
	if r.early != nil && r.early.found != nil && r.early.found.Compared == record.AsStrict {
		rec.Attestation.Compared, rec.Attestation.Detail = record.AsStrict, r.early.found.Detail
		return
	}
	rec.Attestation = r.enforcer.compare(ctx, rec, rec.Attestation, func(a record.Attestation) {
		rec.Attestation = a
		if err := r.enforcer.Records.Update(rec); err != nil {
			log.L.WithField("id", rec.ID).WithError(err).Error("batten: the attestation is not in the record")
		}
	})
}

// Attest attests the process that a runtime's command line has made for a record, and may
// already have started, and writes the record. It calls kill if the process runs without the
// filter that it must have.
func (e *Enforcer) Attest(ctx context.Context, rec *record.Record, pid int, kill func()) {
	r := e.Created(&Prepared{Record: rec}, pid)
	if procfs.Executable(pid) != procfs.FileAt(rec.OCIRuntime) {
		r.runtime = procfs.File{} // it has left the runtime already
	}
	r.attest(ctx, kill)
}

// Exec attests a further process of the container, in a goroutine. It calls kill if that
// process runs without the filter that the container must have, or with a looser one.
func (r *Running) Exec(pid int, kill func()) {
	rec := r.prepared.Record
	if !r.prepared.Required() {
		return
	}
	go func() {
		start := procfs.StartTime(pid)
		a := (subject{pid: pid, binary: procfs.FileAt(rec.OCIRuntime)}).attest(context.Background())
		if a.State == record.Filtered && !rec.Restored {
			note, err := r.enforcer.compareNow(rec, pid, start)
			a = compared(a, pid, note, err)
		}
		if a.State == record.Failed {
			log.L.WithField("id", rec.ID).Error("batten: killing an exec: it runs without the container's filter: " + a.Detail)
			kill()
		}
	}()
}

// Gone ends attesting the container, and removes its record.
func (r *Running) Gone() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.early != nil {
		r.early.stop()
	}
	r.cancel()
	<-r.attested
	r.prepared.close()
	return r.enforcer.Forget(r.prepared.Record.Owner(), r.prepared.Record.ID)
}

// Forget removes the record of a container that is not, or never was, running.
func (e *Enforcer) Forget(owner, id string) error {
	return e.Records.Remove(owner, id)
}
