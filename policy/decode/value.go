package decode

import (
	"fmt"
	"slices"
	"strings"
)

// kind is what an argument is.
type kind struct {
	// text writes it.
	text func(uint64) string
	// words are the values that have names: of mask's bits, all if that is 0. Flags are set one
	// by one.
	words []word
	mask  uint64
	flags []word
}

// address stands for what an argument points to.
const address = "…"

var (
	pointer = kind{text: func(uint64) string { return address }}
	// whole is a signed int.
	whole = kind{text: decimal}
	// bits are flags or a mask, of which no word is known; bits0 has a plain 0.
	bits  = kind{text: hex}
	bits0 = kind{text: hex0}
)

func decimal(v uint64) string { return fmt.Sprint(int32(v)) }

func hex(v uint64) string { return fmt.Sprintf("%#x", v) }

// word is a value with its name.
type word struct {
	value uint64
	name  string
}

// oneOf returns a kind for arguments that have one of some values.
func oneOf(words []word) kind {
	return kind{words: words, text: func(v uint64) string {
		for _, w := range words {
			if w.value == v {
				return w.name
			}
		}
		return hex(v)
	}}
}

// flags returns a kind for arguments that are flags joined by or. What no word stands for is
// written as a number.
func flags(words []word) kind {
	return kind{flags: words, text: func(v uint64) string { return joined(words, v) }}
}

func joined(words []word, v uint64) string {
	var out []string
	for _, w := range words {
		if w.value != 0 && v&w.value == w.value {
			out = append(out, w.name)
			v &^= w.value
		}
	}
	if v != 0 || len(out) == 0 {
		out = append(out, hex0(v))
	}
	return strings.Join(out, "|")
}

func hex0(v uint64) string {
	if v == 0 {
		return "0"
	}
	return hex(v)
}

// also returns a kind for flags below which, in the bits of mask, is a value.
func also(mask uint64, value kind, words []word) kind {
	return kind{words: value.words, mask: mask, flags: words, text: func(v uint64) string {
		low, rest := v&mask, v&^mask
		switch {
		case rest == 0:
			return value.text(low)
		case low == 0:
			return joined(words, rest)
		}
		return joined(words, rest) + "|" + value.text(low)
	}}
}

// Value is what a word says of an argument: its bits of Mask are Bits. Exact is set if the word
// is the whole argument, as the kernel reads it, and Mask is then all ones.
type Value struct {
	Mask, Bits uint64
	Exact      bool
}

// Clashes reports whether a word is one of several values of the same bits, of which words before it
// have taken some: nothing is both.
func (v Value) Clashes(taken uint64) bool { return taken&v.Mask != 0 && v.Mask&(v.Mask-1) != 0 }

// Word returns what a word stands for as argument i of a call: AF_ALG of socket's first, or
// CLONE_NEWUSER of clone's, which is one flag of several.
func Word(name string, i int, text string) (v Value, ok bool) {
	kinds := calls()[name]
	if i >= len(kinds) {
		return v, false
	}
	k := kinds[i]
	for _, w := range k.words {
		switch {
		case w.name != text:
		case k.mask == 0:
			return Value{Mask: ^uint64(0), Bits: w.value, Exact: true}, true
		default:
			return Value{Mask: k.mask, Bits: w.value}, true
		}
	}
	for _, w := range k.flags {
		if w.name == text {
			return Value{Mask: w.value, Bits: w.value}, true
		}
	}
	return v, false
}

// Flags returns the words that argument i of a call may have beside others.
func Flags(name string, i int) (out []string) {
	if kinds := calls()[name]; i < len(kinds) {
		for _, w := range kinds[i].flags {
			out = append(out, w.name)
		}
	}
	return out
}

// Words returns the words that argument i of a call may have.
func Words(name string, i int) (out []string) {
	if kinds := calls()[name]; i < len(kinds) {
		for _, w := range append(slices.Clip(kinds[i].words), kinds[i].flags...) {
			out = append(out, w.name)
		}
	}
	return out
}
