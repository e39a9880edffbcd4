package recording_test

import (
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/recording"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A file that somebody made up is judged in seconds, however much is in it.
func TestHostile(t *testing.T) {
	unnamed := []recording.Call{{Arch: specs.ArchX86_64, Nr: 0}}
	for nr := range 200_000 {
		unnamed = append(unnamed, recording.Call{Arch: specs.ArchX86_64, Nr: 1000 + nr})
	}
	socket := recording.Call{Arch: specs.ArchX86_64, Nr: 41}
	for value := range uint64(4000) {
		socket.Arguments = append(socket.Arguments, recording.Argument{Index: 0, Value: value}, recording.Argument{Index: 1, Value: value})
	}
	looks := specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Syscalls: []specs.LinuxSyscall{{Names: []string{"socket"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{
		{Index: 0, Value: 1, Op: specs.OpEqualTo}, {Index: 1, Value: 1, Op: specs.OpEqualTo},
	}}}}
	for _, tt := range []struct {
		name  string
		calls []recording.Call
		judge func(r *recording.Recording) string
		want  string
	}{
		{"calls without a name", unnamed, func(r *recording.Recording) string {
			made, err := recording.Profile([]*recording.Recording{r}, recording.Options{})
			if err != nil {
				return err.Error()
			}
			return strings.Join(made.Notes, "\n")
		}, " more"},
		{"values of two arguments", []recording.Call{socket}, func(r *recording.Recording) string {
			all, err := recording.Judge([]*recording.Recording{r}, looks)
			if err != nil || len(all) != 1 {
				return "not one verdict"
			}
			return all[0].Why
		}, "too many values to try all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			done := make(chan string, 1)
			go func() {
				done <- tt.judge(&recording.Recording{Batten: 1, Machine: "x86_64", Containers: []recording.Container{{Start: true, Calls: tt.calls}}})
			}()
			select {
			case got := <-done:
				if !strings.Contains(got, tt.want) {
					t.Errorf("got %s", got)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it takes too long")
			}
		})
	}
}
