package shim

import (
	"context"
	"strconv"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/containerd/log"
)

// bySIGSYS is the exit status of a process that a filter has ended: SCMP_ACT_KILL sends
// SIGSYS, as SCMP_ACT_TRAP does, and a shell passes the status of its child on.
const bySIGSYS = 128 + uint32(syscall.SIGSYS)

// ended says in the shim's log, and in the policy's, that a process of a container was
// ended by its filter: nothing else tells whoever looks for the reason.
func ended(ctx context.Context, p *enforce.Prepared, execID string, status uint32) {
	if status != bySIGSYS || p.Record.Result == record.None {
		return
	}
	entry := log.G(ctx).WithField("id", p.Record.ID)
	if execID != "" {
		entry = entry.WithField("exec", execID)
	}
	entry.Warnf("batten: it ended with exit status %d, as by SIGSYS: a filter ends programs so that call what it denies by SCMP_ACT_KILL or SCMP_ACT_TRAP", status)
	if p.AppendLine == nil {
		return
	}
	line := denials.Line{
		Time: time.Now().UTC(), Origin: enforce.OriginOf(p.Record), ContainerID: p.Record.ID,
		Pid: p.Record.Pid, Syscall: "exit", Args: []string{strconv.FormatUint(uint64(status), 10)}, Result: "SIGSYS", Count: 1,
	}
	if err := p.AppendLine(line); err != nil {
		entry.WithError(err).Error("batten: the end is not in the policy's log")
	}
}
