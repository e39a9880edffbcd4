package decode

import (
	"fmt"
	"strings"
)

// kind writes one argument.
type kind func(uint64) string

// address stands for what an argument points to.
const address = "…"

func pointer(uint64) string { return address }

// whole is a signed int.
func whole(v uint64) string { return fmt.Sprint(int32(v)) }

// bits are flags or a mask, of which no word is known.
func bits(v uint64) string { return fmt.Sprintf("%#x", v) }

// word is a value with its name.
type word struct {
	value uint64
	name  string
}

// oneOf returns a kind for arguments that have one of some values.
func oneOf(words []word) kind {
	return func(v uint64) string {
		for _, w := range words {
			if w.value == v {
				return w.name
			}
		}
		return bits(v)
	}
}

// flags returns a kind for arguments that are flags joined by or. What no word stands for is
// written as a number.
func flags(words []word) kind { return func(v uint64) string { return joined(words, v) } }

func joined(words []word, v uint64) string {
	var out []string
	for _, w := range words {
		if w.value != 0 && v&w.value == w.value {
			out = append(out, w.name)
			v &^= w.value
		}
	}
	if v != 0 || len(out) == 0 {
		out = append(out, bits0(v))
	}
	return strings.Join(out, "|")
}

func bits0(v uint64) string {
	if v == 0 {
		return "0"
	}
	return bits(v)
}

// also returns a kind for flags below which, in the bits of mask, is a value.
func also(mask uint64, value kind, words []word) kind {
	return func(v uint64) string {
		low, rest := v&mask, v&^mask
		switch {
		case rest == 0:
			return value(low)
		case low == 0:
			return joined(words, rest)
		}
		return joined(words, rest) + "|" + value(low)
	}
}
