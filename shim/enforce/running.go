package enforce

import (
	"context"

	"github.com/containerd/log"
)

// Running is a container that the runtime has made and not yet deleted.
type Running struct {
	enforcer *Enforcer
	prepared *Prepared
	runtime  executable
	cancel   context.CancelFunc
	attested chan struct{} // closed when no attestation of the init process goes on
}

// Created notes the process that the runtime made for p, which is still the
// runtime's own: it waits for start.
func (e *Enforcer) Created(p *Prepared, pid int) (*Running, error) {
	closed := make(chan struct{})
	close(closed)
	r := &Running{enforcer: e, prepared: p, cancel: func() {}, attested: closed}
	if err := r.setPid(pid); err != nil {
		return nil, err
	}
	r.runtime = executableOf(pid)
	return r, nil
}

func (r *Running) setPid(pid int) error {
	rec := r.prepared.Record
	rec.Pid, rec.StartTime = pid, startTime(pid)
	return r.enforcer.Records.Write(rec)
}

// Started begins to attest the container's first process, and returns at
// once. Kill is called if it runs without the filter that it must have. pid
// is the process, which a restore makes only now.
func (r *Running) Started(pid int, kill func()) {
	rec := r.prepared.Record
	if !r.prepared.Required() {
		return
	}
	if pid != rec.Pid {
		rec.Pid, rec.StartTime = pid, startTime(pid)
		r.runtime = executable{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.attested = cancel, make(chan struct{})
	go func() {
		defer close(r.attested)
		defer cancel()
		rec.Attestation = subject{pid, r.runtime}.attest(ctx)
		entry := log.L.WithFields(log.Fields{"id": rec.ID, "pid": pid, "state": rec.Attestation.State})
		switch rec.Attestation.State {
		case Pending:
			return // the container is being deleted
		case Failed:
			entry.Error("batten: killing the container: it runs without the filter that the policy demands: " + rec.Attestation.Detail)
			kill()
		default:
			entry.Debug("batten: attested")
		}
		if err := r.enforcer.Records.Write(rec); err != nil {
			entry.WithError(err).Error("batten: the attestation is not in the record")
		}
	}()
}

// Exec attests a further process of the container, and returns at once. Kill
// is called if it runs without the filter that the container's must have.
func (r *Running) Exec(pid int, kill func()) {
	if !r.prepared.Required() {
		return
	}
	go func() {
		if a := (subject{pid: pid}).attest(context.Background()); a.State == Failed {
			log.L.WithField("id", r.prepared.Record.ID).Error("batten: killing an exec: it runs without the container's filter: " + a.Detail)
			kill()
		}
	}()
}

// Gone forgets the container.
func (r *Running) Gone() error {
	r.cancel()
	<-r.attested
	return r.enforcer.Forget(r.prepared.Record.ContainerdNamespace, r.prepared.Record.ID)
}

// Forget removes the record of a container that is not, or never was, running.
func (e *Enforcer) Forget(namespace, id string) error {
	return e.Records.Remove(namespace, id)
}
