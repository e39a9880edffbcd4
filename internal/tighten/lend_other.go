//go:build !(linux && (amd64 || arm64))

package tighten

import "errors"

const tsync = 0

var errDiverged = errors.New("its threads have different filters")

func supported() error {
	return errors.New("a running process can be given a filter on x86_64 and arm64 only")
}

func (t *thread) inCall() bool { return false }

func (p *process) lend(*thread, uint) (bool, error) { return false, supported() }
