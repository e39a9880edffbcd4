package spec_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/spec"
)

// members writes n members of an object.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%x":0`, i)
	}
	return b.String()
}

// What a spec of the largest size can hold is refused with the limit and its
// place; what is just below the limit is not.
func TestLimits(t *testing.T) {
	const most = spec.MaxValues
	for _, tt := range []struct {
		name          string
		refused, fine string
		want          string
	}{
		{
			name:    "members",
			refused: "{" + members(most) + "}",
			fine:    "{" + members(most-1) + "}",
			want:    "1:1930096: more than the 200000 values that Batten reads; make the spec smaller",
		},
		{
			name:    "elements",
			refused: `{"x":[` + strings.Repeat("1,", 8<<20-8) + "1]}",
			fine:    `{"x":[` + strings.Repeat("1,", most-3) + "1]}",
			want:    "1:400003: more than the 200000 values that Batten reads; make the spec smaller",
		},
		{
			name:    "capabilities",
			refused: `{"process":{"capabilities":{"bounding":[` + strings.Repeat(`"A",`, 256) + `"A"]}}}`,
			fine:    `{"process":{"capabilities":{"bounding":[` + strings.Repeat(`"A",`, 255) + `"A"]}}}`,
			want:    "1:40: process.capabilities.bounding: has 257 entries, more than the 256 that Batten reads; Linux has 41 capabilities; see runtime-spec's config.md",
		},
		{
			name:    "bytes",
			refused: `{"x":"` + strings.Repeat("y", spec.MaxSize) + `"}`,
			fine:    `{"x":"` + strings.Repeat("y", spec.MaxSize-8) + `"}`,
			want:    "16777224 bytes are more than the 16777216 that Batten reads; make the spec smaller",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := spec.Parse([]byte(tt.refused)); err == nil || err.Error() != tt.want {
				t.Errorf("got  %.300v\nwant %s", err, tt.want)
			}
			if _, err := spec.Parse([]byte(tt.fine)); err != nil {
				t.Errorf("below the limit: %.300v", err)
			}
		})
	}
}

// A long key does not cost its length for each member below it.
func TestLongKeys(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{
			name: "of an object",
			text: `{"` + strings.Repeat("k", 1<<20) + `":{` + members(10_000) + "}}",
		},
		{
			name: "of many objects",
			text: strings.Repeat(`{"`+strings.Repeat("k", 50_000)+`":`, 150) + "0" + strings.Repeat("}", 150),
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := spec.Parse([]byte(tt.text))
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 100<<20 {
			t.Errorf("%s: %d bytes of memory for %d of text", tt.name, grown, len(tt.text))
		}
		// It is still no path that Batten reads.
		if s.Seccomp != nil || string(s.Splice([]byte("{}"))) == tt.text {
			t.Errorf("%s: %s", tt.name, s.Seccomp)
		}
	}
}
