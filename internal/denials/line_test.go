package denials_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/deploy/schema"
	"github.com/batten-runtime/batten/deploy/schema/schematest"
	"github.com/batten-runtime/batten/internal/denials"
	"golang.org/x/sys/unix"
)

// One line tells of the first call of a kind, and one at the end how many there were. What a
// process calls itself cannot make a line of its own.
func TestLines(t *testing.T) {
	log, err := schema.Text("log")
	if err != nil {
		t.Fatal(err)
	}
	for _, letThrough := range []bool{false, true} {
		w := watch(t, letThrough, func(r *denials.Request) {
			r.From = denials.Origin{Rule: "r", PodNamespace: "ns", PodName: "pod", ContainerName: "main"}
		})
		w.run("named", nr(unix.SYS_GETPPID), "a\n{}\x1b[2J")
		w.run("call", nr(unix.SYS_GETPGID))
		eventually(t, "two lines", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.lines) == 2 })
		w.run("loop", nr(unix.SYS_GETPPID), "9", "1")
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if len(w.lines) != 3 {
			t.Fatalf("%+v", w.lines)
		}
		var got []string
		for _, l := range w.lines {
			text, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(text))
			if err := schematest.Validate(schematest.Compile(t, "log", log), text); err != nil {
				t.Errorf("the schema refuses %s: %v", text, err)
			}
		}
		would := ""
		if letThrough {
			would = "would be "
		}
		line := func(name, call, errno string, count int) string {
			return fmt.Sprintf(`{"time":"TIME","rule":"r","k8s.ns.name":"ns","k8s.pod.name":"pod","container.name":"main","container.id":"c",`+
				`"proc.name":%s,"proc.exepath":"%s","proc.pid":PID,"proc.vpid":PID,"evt.arch":"SCMP_ARCH_X86_64","evt.type":"%s",`+
				`"evt.rawargs":["0x0","0x0","0x0","0x0","0x0","0x0"],"evt.res":"%s%s","count":%d}`, name, childPath, call, would, errno, count)
		}
		named := `"\"a\\n{}\\x1b[2J\""`
		for i, want := range []string{
			line(named, "getppid", "EPERM", 1), line(`"child"`, "getpgid", "ENOSR", 1), line(named, "getppid", "EPERM", 10),
		} {
			plain := regexp.MustCompile(`"time":"[^"]*"`).ReplaceAllString(got[i], `"time":"TIME"`)
			plain = regexp.MustCompile(`pid":[1-9][0-9]*`).ReplaceAllString(plain, `pid":PID`)
			if plain != want || strings.Contains(got[i], "\n") {
				t.Errorf("got  %s\nwant %s", plain, want)
			}
		}
	}
}
