package learn

import (
	"regexp"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/recorder"
)

// scope is what runtimes with systemd's cgroups call that of a container: cri-containerd-ID.scope.
var scope = regexp.MustCompile(`^(?:[a-z-]+-)?([0-9a-zA-Z_.][0-9a-zA-Z_.-]*)\.scope$`)

// idIn returns the id that a cgroup is named after. Below a container's there may be others: crun
// makes one called container below that of systemd, and containers with rights make their own.
func idIn(cgroup string, records []*record.Record) string {
	parts := strings.Split(cgroup, "/")
	id := parts[len(parts)-1]
	for _, part := range slices.Backward(parts) {
		if m := scope.FindStringSubmatch(part); m != nil {
			part, id = m[1], m[1]
		}
		if slices.ContainsFunc(records, func(r *record.Record) bool { return r.ID == part }) {
			return part
		}
	}
	return id
}

// whoIs returns the container that a program was started in: its record, nil if it has none, and
// its id, empty if the process is in no cgroup of its own and has ended. A record names its first
// process; of others the cgroup tells the container, which its processes can change as little as
// the node lets them.
func whoIs(n recorder.New, records []*record.Record) (id string, rec *record.Record) {
	p, err := procfs.Read("/proc", n.Pid)
	if err == nil && p.Mounts != "" && p.Mounts != n.Mounts {
		// It is elsewhere by now. A runtime begins on the host, and goes into the container's cgroup
		// and mount namespace before it executes the container's program: that is told by itself.
		return withRecord(idIn(n.Cgroup, records), records)
	}
	for _, r := range records {
		if r.Pid == n.Pid && (err != nil || r.StartTime == p.StartTime) && (rec == nil || r.Time.After(rec.Time)) {
			rec = r // of two with the number of a process that has ended the newer
		}
	}
	if rec != nil {
		return rec.ID, rec
	}
	id = idIn(p.Cgroup, records)
	if err != nil { // it has ended
		id = idIn(n.Cgroup, records)
	}
	return withRecord(id, records)
}

// withRecord returns the record of a container beside its id, nil if it has none.
func withRecord(id string, records []*record.Record) (string, *record.Record) {
	if id == "" {
		return "", nil
	}
	for _, r := range records {
		if r.ID == id {
			return id, r
		}
	}
	return id, nil
}
