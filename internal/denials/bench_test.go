package denials_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/policy/filter"
	"golang.org/x/sys/unix"
)

// BenchmarkCall measures one denied call of a program: silent, under the profile itself; and
// with a listener that answers it.
func BenchmarkCall(b *testing.B) {
	for _, mode := range []string{"silent", "denied", "let through"} {
		b.Run(mode, func(b *testing.B) {
			w := watch(b, mode == "let through", nil)
			if mode == "silent" {
				w.silence()
			}
			ns := w.run("loop", nr(unix.SYS_GETPPID), nr(max(b.N, 1000)), "1")[0]
			b.ReportMetric(float64(ns), "ns/call")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkListen measures what a container's start and end have more: a listener that comes and
// goes.
func BenchmarkListen(b *testing.B) {
	w := watch(b, false, nil)
	w.Close()
	for b.Loop() {
		l, err := denials.Listen(w.request)
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Remove(); err != nil {
			b.Fatal(err)
		}
	}
}

// silence makes the children load the profile itself, without a listener's part.
func (w *watched) silence() {
	w.t.Helper()
	s := denying()
	program, err := filter.Compile(&s)
	if err != nil {
		w.t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := binary.Write(&raw, binary.NativeEndian, program.Instructions); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.filter, raw.Bytes(), 0o600); err != nil {
		w.t.Fatal(err)
	}
}
