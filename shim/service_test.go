package shim

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/shim/enforce"
	task "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// stub answers for containerd's service in what is about bookkeeping; what
// containerd and runc do is the integration suite's.
type stub struct {
	task.TTRPCTaskService
	created int
	err     error
}

func (s *stub) Create(context.Context, *task.CreateTaskRequest) (*task.CreateTaskResponse, error) {
	s.created++
	return &task.CreateTaskResponse{Pid: uint32(os.Getpid())}, s.err
}

func (s *stub) Delete(context.Context, *task.DeleteRequest) (*task.DeleteResponse, error) {
	return &task.DeleteResponse{}, s.err
}

type builtin struct{}

func (builtin) Get(string) (*policy.Policy, document.Findings) {
	return policy.Parse(policy.BuiltinPath, []byte(policy.Builtin), nil)
}

func newService(t *testing.T, stock *stub) (*Service, context.Context) {
	t.Helper()
	return NewService(stock, &enforce.Enforcer{
		Policies: builtin{}, Records: record.Store{Dir: t.TempDir()}, Now: time.Now,
	}), namespaces.WithNamespace(context.Background(), "test")
}

func request(t *testing.T, spec string) *task.CreateTaskRequest {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	return &task.CreateTaskRequest{ID: "c1", Bundle: dir}
}

func (s *Service) wantRecord(t *testing.T, when string, want bool) {
	t.Helper()
	_, err := s.enforcer.Records.Read("test", "c1")
	if got := !errors.Is(err, fs.ErrNotExist); got != want {
		t.Errorf("%s: a record: %v (%v), want %v", when, got, err, want)
	}
}

func TestSecondCreate(t *testing.T) {
	stock := &stub{}
	s, ctx := newService(t, stock)
	if _, err := s.Create(ctx, request(t, "{}")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(ctx, request(t, "{}")); status.Code(err) != codes.AlreadyExists {
		t.Errorf("a second Create: %v", err)
	}
	s.wantRecord(t, "after the second Create", true)
	if stock.created != 1 {
		t.Errorf("containerd was asked %d times", stock.created)
	}
	if _, err := s.Delete(ctx, &task.DeleteRequest{ID: "c1", ExecID: "e1"}); err != nil {
		t.Fatal(err)
	}
	s.wantRecord(t, "after the end of an exec", true)
	if _, err := s.Delete(ctx, &task.DeleteRequest{ID: "c1"}); err != nil {
		t.Fatal(err)
	}
	s.wantRecord(t, "after Delete", false)
	if _, err := s.Create(ctx, request(t, "{}")); err != nil {
		t.Errorf("the id is not free again: %v", err)
	}
}

func TestCreateFails(t *testing.T) {
	stock := &stub{err: status.Error(codes.Unknown, "runc create failed")}
	s, ctx := newService(t, stock)
	few := `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["execve", "close", "fstat", "fstatfs", "getdents64", "openat", "openat2"], "action": "SCMP_ACT_ALLOW"}]}}, "process": {"noNewPrivileges": true}}`
	for _, tt := range []struct{ spec, want string }{
		{spec: "{}", want: "runc create failed"},
		{
			spec: few,
			want: "runc create failed; batten: the container's seccomp profile denies statx, which runc may need after the filter is in place: add them to the profile, or ask for RuntimeDefault",
		},
	} {
		_, err := s.Create(ctx, request(t, tt.spec))
		if st := status.Convert(err); st.Message() != tt.want || st.Code() != codes.Unknown {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
		s.wantRecord(t, "after a failed Create", false)
	}
	stock.err = nil
	if _, err := s.Create(ctx, request(t, `{"Linux": {}}`)); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a spec that reads two ways: %v", err)
	}
	if _, err := s.Create(ctx, request(t, "{}")); err != nil {
		t.Errorf("the id is not free after a refusal: %v", err)
	}
	if _, err := s.Create(context.Background(), request(t, "{}")); err == nil || strings.Contains(err.Error(), "exists") {
		t.Errorf("without a containerd namespace: %v", err)
	}
}

type closer struct{ containerdshim.Publisher }

func (closer) Close() error { return nil }

func TestDrain(t *testing.T) {
	var none drain
	none.wait() // "start" and "delete" publish nothing
	var d drain
	publisher := d.over(closer{})
	ended := make(chan struct{})
	go func() { d.wait(); close(ended) }()
	select {
	case <-ended:
		t.Error("did not wait for the last event")
	case <-time.After(50 * time.Millisecond):
	}
	for range 2 {
		if err := publisher.Close(); err != nil {
			t.Error(err)
		}
	}
	<-ended
}
