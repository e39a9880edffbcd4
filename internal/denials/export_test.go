package denials

import (
	"reflect"
	"testing"
	"time"
)

// Refusal is the type of an enforcing listener's response.
var Refusal = reflect.TypeFor[refusal]()

// SeccompPlace parses a runtime's message.
var SeccompPlace = seccompPlace

// SetMaxDescriptors is for one test.
func SetMaxDescriptors(t *testing.T, n int) {
	was := maxDescriptors
	maxDescriptors = n
	t.Cleanup(func() { maxDescriptors = was })
}

// What the throttle promises.
const (
	Burst      = burst
	Share      = share
	MaxKinds   = maxKinds
	MaxMessage = maxMessage
)

// Throttle returns the pause for each look.
func Throttle() func(now time.Time, cpu time.Duration) time.Duration { return new(throttle).pause }
