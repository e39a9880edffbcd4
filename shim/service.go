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

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/shim/enforce"
	task "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Service is containerd's task service, decorated: Create asks the node policy, and after
// Start the process's filter is compared with the answer.
type Service struct {
	task.TTRPCTaskService // containerd's own
	enforcer              *enforce.Enforcer
	settled               sync.Once

	mu      sync.Mutex
	running map[string]*enforce.Running // by container id; nil while it is being created; guarded by mu
}

var _ task.TTRPCTaskService = (*Service)(nil)

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
		s.abandon(ctx, prepared)
		return nil, explain(err, prepared.Missing)
	}
	running := s.enforcer.Created(prepared, int(response.Pid))
	running.CompareEarly()
	s.set(r.ID, running)
	return response, nil
}

// prepare holds the bundle to the policy before the runtime is called, and puts options into
// r that containerd's service understands.
func (s *Service) prepare(namespace string, r *task.CreateTaskRequest) (*enforce.Prepared, error) {
	opts, err := parseOptions(r.Options)
	if err := errors.Join(lost(r.Options), err); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "batten: container refused: %v", err)
	}
	prepared, err := s.enforcer.Prepare(enforce.Container{
		ContainerdNamespace: namespace, ID: r.ID, Bundle: r.Bundle,
		Runtime: names.RuntimeType, Binary: opts.binary(), Policy: opts.policy,
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

// explain adds to the runtime's error what may have caused it. If the filter stops the
// runtime before the program starts, the runtime's error only says that a call failed.
func explain(err error, missing []string) error {
	if len(missing) == 0 {
		return err
	}
	st := status.Convert(err)
	return status.Errorf(st.Code(), "%s; batten: the container's seccomp profile denies %s, which runc may need after the filter is in place: add them to the profile, or ask for RuntimeDefault", st.Message(), strings.Join(missing, ", "))
}

// Start starts the container's process or an exec, and has it attested.
func (s *Service) Start(ctx context.Context, r *task.StartRequest) (*task.StartResponse, error) {
	if err := s.starting(ctx, r); err != nil {
		return nil, err
	}
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

// starting returns an error if the filter of the container is known to be looser than its
// profile, and kills the container.
func (s *Service) starting(ctx context.Context, r *task.StartRequest) error {
	running := s.get(r.ID)
	if running == nil || r.ExecID != "" {
		return nil
	}
	if err := running.Starting(); err != nil {
		s.kill(ctx, r.ID, "")
		return status.Error(codes.PermissionDenied, err.Error())
	}
	return nil
}

// Delete deletes the container or an exec. It removes the record with the container.
func (s *Service) Delete(ctx context.Context, r *task.DeleteRequest) (*task.DeleteResponse, error) {
	response, err := s.TTRPCTaskService.Delete(ctx, r)
	running := s.get(r.ID)
	if err != nil || running == nil {
		return response, err
	}
	ended(ctx, running.Prepared(), r.ExecID, response.ExitStatus)
	if r.ExecID != "" {
		return response, nil
	}
	if err := running.Gone(); err != nil {
		log.G(ctx).WithField("id", r.ID).WithError(err).Error("batten: the record of a deleted container stays")
	}
	s.set(r.ID, nil)
	return response, nil
}

// reserve takes an id for a container that is being created, and reports whether the id was
// free: a second Create must not touch the record of the first.
func (s *Service) reserve(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.running[id]; taken {
		return false
	}
	s.running[id] = nil
	return true
}

// set stores a container under its id; nil frees the id.
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

// kill kills an exec that runs without its filter, or all processes of a container.
func (s *Service) kill(ctx context.Context, id, execID string) {
	ctx = context.WithoutCancel(ctx)
	_, err := s.TTRPCTaskService.Kill(ctx, &task.KillRequest{
		ID: id, ExecID: execID, Signal: uint32(syscall.SIGKILL), All: execID == "",
	})
	if err != nil {
		log.G(ctx).WithField("id", id).WithError(err).Error("batten: cannot kill an unfiltered process")
	}
}

func (s *Service) abandon(ctx context.Context, p *enforce.Prepared) {
	if err := s.enforcer.Abandon(p); err != nil {
		log.G(ctx).WithError(err).Error(fmt.Sprintf("batten: the record of %s stays", p.Record.ID))
	}
}
