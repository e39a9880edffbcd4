package main

import "testing"

// A type that the kernel reads as a whole word is l, a pointer too.
func TestSignature(t *testing.T) {
	for _, tt := range []struct{ list, want, err string }{
		{list: "int, fd, const char __user *, name, unsigned int, flags", want: "ilu"},
		{list: "size_t, n", want: "l"},
		{list: "", want: ""},
		{list: "struct new, x", err: `type "struct new" is not in the list of types`},
	} {
		got, err := signature(tt.list)
		if err != nil && err.Error() != tt.err || err == nil && (tt.err != "" || got != tt.want) {
			t.Errorf("%s: %q, %v; want %q, %q", tt.list, got, err, tt.want, tt.err)
		}
	}
}

// Of two functions for one call, the wider argument counts.
func TestWider(t *testing.T) {
	for _, tt := range [][3]string{{"iu", "iu", "iu"}, {"iu", "il", "il"}, {"i", "iu", "il"}, {"i", "u", "l"}} {
		if got := wider(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%s and %s: %s, want %s", tt[0], tt[1], got, tt[2])
		}
	}
}
