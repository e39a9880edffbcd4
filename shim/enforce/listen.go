package enforce

import (
	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/observe"
	"github.com/containerd/log"
)

// Listener sees the denials of one container until it is closed.
type Listener interface{ Close() error }

// ListenFunc makes the listener of a container whose denials are to be seen. It is called
// before the runtime is.
type ListenFunc func(Listening) (Listener, error)

// Listening says what a container's listener is to do. One process can hand it to another
// as JSON.
type Listening struct {
	// Asked is the profile whose denials are to be seen, and the socket of the listener.
	Asked observe.Request
	// LetThrough is for mode Audit.
	LetThrough bool `json:",omitempty"`
	// Owner and ID name the container as its record does.
	Owner, ID string
	From      denials.Origin
	// Log is the policy's log; empty if it has none.
	Log string `json:",omitempty"`
}

// listening returns what the listener of a container is to do.
func listening(p *policy.Policy, rec *record.Record, o *observe.Observed) Listening {
	return Listening{
		Asked: o.Asked(), LetThrough: rec.Mode == policy.Audit, Owner: rec.Owner(), ID: rec.ID, Log: p.Log,
		From: OriginOf(rec),
	}
}

// OriginOf returns what all lines of a container have alike.
func OriginOf(rec *record.Record) denials.Origin {
	title := rec.Title()
	return denials.Origin{Rule: rec.Rule, PodNamespace: title.PodNamespace, PodName: title.PodName, ContainerName: title.Name}
}

// Listen listens in this process, which must stay as long as the container. It keeps the counts
// beside the records.
func (l Listening) Listen(records record.Store) (*denials.Listener, error) {
	entry := log.L.WithField("id", l.ID)
	r := denials.Request{
		Path: l.Asked.ListenerPath, Judge: observe.Known(l.Asked, l.Asked.Seccomp, nil, 0), LetThrough: l.LetThrough,
		Store: denials.Store{Dir: records.Dir}, Owner: l.Owner, ID: l.ID, From: l.From,
		Warn: func(err error) { entry.WithError(err).Error("batten: some denials are not seen") },
	}
	if l.Log != "" {
		r.Log = func(line denials.Line) {
			if err := appendLine(l.Log, line); err != nil {
				entry.WithError(err).Error("batten: a denial is not in the policy's log")
			}
		}
	}
	return denials.Listen(r)
}
