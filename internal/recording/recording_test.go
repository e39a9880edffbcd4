package recording_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/recording"
)

func TestRead(t *testing.T) {
	const head = `{"battenRecording": 1, "machine": "x86_64", "containers": [{"calls": [{"arch": "SCMP_ARCH_X86_64", `
	for _, tt := range []struct{ name, text, err string }{
		{name: "a recording", text: head + `"nr": 0, "name": "read"}]}]}`},
		{name: "a call that this table lacks", text: head + `"nr": 999, "name": "newcall"}]}]}`},
		{name: "no JSON", text: `x`, err: `"r.json" is no recording: line 1: not valid JSON at byte 1: invalid character 'x' looking for beginning of value`},
		{name: "more behind it", text: "{\"battenRecording\": 1}\n\n{}", err: `"r.json" is no recording: line 3: not valid JSON at byte 25: invalid character '{' after top-level value`},
		{name: "another type", text: "{\"battenRecording\": 1,\n\"containers\": [{\"calls\":\n[{\"nr\": \"zero\"}]}]}", err: `"r.json" is no recording: line 3: containers.calls.nr cannot be: string`},
		{name: "a list", text: `[]`, err: `"r.json" is no recording: line 1: a recording cannot be: array`},
		{name: "no time", text: `{"battenRecording": 1, "containers": [{"from": "now"}]}`, err: `"r.json" is no recording: line 1: parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"`},
		{name: "a profile", text: `{"defaultAction": "SCMP_ACT_ALLOW"}`, err: `"r.json" is no recording: it has no key battenRecording`},
		{name: "another version", text: `{"battenRecording": 2}`, err: `"r.json" is a recording of version 2; this Batten reads version 1`},
		{name: "a wrong number", text: head + `"nr": 1, "name": "read"}]}]}`, err: `recording "r.json": containers[0].calls[0]: read has the number 0 on SCMP_ARCH_X86_64, not 1`},
		{name: "a wrong name", text: head + `"nr": 999, "name": "a b"}]}]}`, err: `recording "r.json": containers[0].calls[0]: name "a b" cannot be that of a call`},
		{name: "an argument too many", text: head + `"nr": 0, "name": "read", "arguments": [{"index": 6}]}]}]}`, err: `recording "r.json": containers[0].calls[0].arguments[0]: argument 6 does not exist; a call has arguments 0 to 5`},
		{name: "another architecture", text: strings.ReplaceAll(head, "X86_64", "MIPS") + `"nr": 0}]}]}`, err: `recording "r.json": containers[0].calls[0]: arch "SCMP_ARCH_MIPS" is none whose calls Batten knows`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := recording.Read("r.json", []byte(tt.text))
			if got := errorText(err); got != tt.err {
				t.Errorf("error %s, want %s", got, tt.err)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What is read is written as it was, and a profile of it is an error or allows what was recorded.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"battenRecording": 1, "machine": "x86_64", "containers": [{"calls": [{"arch": "SCMP_ARCH_X86_64", "nr": 41, "name": "socket", "arguments": [{"index": 0, "value": 2}]}]}]}`))
	f.Add([]byte(`{"battenRecording": 1, "machine": "x86_64", "containers": [{"calls": [{"arch": "SCMP_ARCH_X86", "nr": 102, "arguments": [{"index": 0, "value": 3}]}, {"arch": "SCMP_ARCH_X86_64", "nr": 435}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := recording.Read("r.json", data)
		if err != nil {
			return
		}
		var written bytes.Buffer
		if err := r.Write(&written); err != nil {
			t.Fatal(err)
		}
		again, err := recording.Read("r.json", written.Bytes())
		if err != nil || text(again) != text(r) {
			t.Fatalf("read again it is %s (%v)", text(again), err)
		}
		made, err := recording.Profile([]*recording.Recording{r}, recording.Options{})
		if err != nil {
			return
		}
		if same, err := recording.Profile([]*recording.Recording{r}, recording.Options{}); err != nil || !reflect.DeepEqual(same, made) {
			t.Fatalf("a second time it is %+v (%v)", same, err)
		}
	})
}
