package shim

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/batten-runtime/batten/shim/enforce"
)

// RuntimeType is what containerd's configuration calls this shim.
const RuntimeType = "io.containerd.batten.v2"

// Service is containerd's task service, with the node policy asked on Create
// and the outcome looked at after Start.
type Service struct {
	task.TTRPCTaskService // containerd's own
	enforcer              *enforce.Enforcer
	settled               sync.Once

	mu      sync.Mutex
	running map[string]*enforce.Running // by container id; nil while it is being created
}

// NewService decorates containerd's task service.
func NewService(stock task.TTRPCTaskService, e *enforce.Enforcer) *Service {
	return &Service{TTRPCTaskService: stock, enforcer: e, running: make(map[string]*enforce.Running)}
}

// RegisterTTRPC serves the task API under both names that daemons know.
func (s *Service) RegisterTTRPC(server *ttrpc.Server) error {
	task.RegisterTTRPCTaskService(server, s)
	registerTaskV2(server, s)
	return nil
}

// Create holds the bundle to the node policy and has containerd's service
// create the container. It sees every container of the shim, sandboxes too.
func (s *Service) Create(ctx context.Context, r *task.CreateTaskRequest) (*task.CreateTaskResponse, error) {
	received := time.Now()
	defer s.settled.Do(func() { debug.SetGCPercent(settledGC) })
	namespace, err := namespaces.NamespaceRequired(ctx)
	if err != nil {
		return nil, err
	}
	if !s.reserve(r.ID) {
		return nil, status.Errorf(codes.AlreadyExists, "batten: container %s exists", r.ID)
	}
	prepared, err := s.prepare(namespace, r)
	if err != nil {
		s.set(r.ID, nil)
		log.G(ctx).WithField("id", r.ID).Error(err.Error())
		return nil, err
	}
	log.G(ctx).WithFields(log.Fields{"id": r.ID, "took": time.Since(received)}).Debug("batten: delegating Create")
	response, err := s.TTRPCTaskService.Create(ctx, r)
	if err != nil {
		s.set(r.ID, nil)
		s.forget(ctx, namespace, r.ID)
		return nil, explain(err, prepared.Missing)
	}
	s.set(r.ID, s.enforcer.Created(prepared, int(response.Pid)))
	return response, nil
}

// prepare does what comes before the runtime, and puts options into r that
// containerd's service understands.
func (s *Service) prepare(namespace string, r *task.CreateTaskRequest) (*enforce.Prepared, error) {
	opts, err := parseOptions(r.Options)
	if err := errors.Join(lost(r.Options), err); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "batten: container refused: %v", err)
	}
	prepared, err := s.enforcer.Prepare(enforce.Container{
		ContainerdNamespace: namespace, ID: r.ID, Bundle: r.Bundle,
		Runtime: RuntimeType, Binary: opts.binary(), Policy: opts.policy,
		Restore: r.Checkpoint != "",
	})
	if err != nil {
		return nil, status.Error(codes.PermissionDenied, err.Error())
	}
	if r.Options, err = opts.typed(); err != nil {
		return nil, err
	}
	return prepared, nil
}

// explain adds to the runtime's error what may be behind it. Runtimes that a
// filter stops before the program starts say no more than that a call failed.
func explain(err error, missing []string) error {
	if len(missing) == 0 {
		return err
	}
	st := status.Convert(err)
	return status.Errorf(st.Code(), "%s; batten: the container's seccomp profile denies %s, which runc may need after the filter is in place: add them to the profile, or ask for RuntimeDefault", st.Message(), strings.Join(missing, ", "))
}

// Start starts the container's process or an exec, and has it attested.
func (s *Service) Start(ctx context.Context, r *task.StartRequest) (*task.StartResponse, error) {
	response, err := s.TTRPCTaskService.Start(ctx, r)
	if err != nil {
		return nil, err
	}
	running := s.get(r.ID)
	if running == nil {
		return response, nil
	}
	kill := func() { s.kill(ctx, r.ID, r.ExecID) }
	if r.ExecID == "" {
		running.Started(int(response.Pid), kill)
	} else {
		running.Exec(int(response.Pid), kill)
	}
	return response, nil
}

// Delete deletes the container or an exec; with the container goes its record.
func (s *Service) Delete(ctx context.Context, r *task.DeleteRequest) (*task.DeleteResponse, error) {
	response, err := s.TTRPCTaskService.Delete(ctx, r)
	if err != nil || r.ExecID != "" {
		return response, err
	}
	running := s.get(r.ID)
	if running == nil {
		return response, nil
	}
	if err := running.Gone(); err != nil {
		log.G(ctx).WithField("id", r.ID).WithError(err).Error("batten: the record of a deleted container stays")
	}
	s.set(r.ID, nil)
	return response, nil
}

// reserve takes an id for a container that is being created, and reports
// whether it was free: a second Create must not touch the first one's record.
func (s *Service) reserve(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.running[id]; taken {
		return false
	}
	s.running[id] = nil
	return true
}

// set notes a container, or with nil gives its id free.
func (s *Service) set(id string, running *enforce.Running) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if running == nil {
		delete(s.running, id)
		return
	}
	s.running[id] = running
}

func (s *Service) get(id string) *enforce.Running {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[id]
}

// kill ends a process that runs without its filter; of a container, all.
func (s *Service) kill(ctx context.Context, id, execID string) {
	ctx = context.WithoutCancel(ctx)
	_, err := s.TTRPCTaskService.Kill(ctx, &task.KillRequest{
		ID: id, ExecID: execID, Signal: uint32(syscall.SIGKILL), All: execID == "",
	})
	if err != nil {
		log.G(ctx).WithField("id", id).WithError(err).Error("batten: cannot kill an unfiltered process")
	}
}

func (s *Service) forget(ctx context.Context, namespace, id string) {
	if err := s.enforcer.Forget(namespace, id); err != nil {
		log.G(ctx).WithError(err).Error(fmt.Sprintf("batten: the record of %s stays", id))
	}
}
