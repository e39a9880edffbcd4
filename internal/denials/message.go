package denials

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// maxMessage bounds a runtime's message: annotations are in it, which containerd bounds.
const maxMessage = 1 << 20

// maxRights is how many descriptors one message can have (SCM_MAX_FD in net/scm.h).
const maxRights = 253

// Errors of peers of which nothing is lost.
var (
	errStranger = errors.New("somebody who is no runtime has connected to the listener")
	errSilent   = errors.New("a runtime has connected to the listener and said nothing")
)

// fromRuntime reads the message of a runtime (runtime-spec, config-linux.md, "The Container
// Process State") and returns the notify descriptor. It closes all others.
func fromRuntime(conn *stream) (fd int, err error) {
	if err := fromRoot(conn); err != nil {
		return -1, err
	}
	var (
		text   []byte
		rights []int
	)
	defer func() {
		for _, r := range rights {
			if r != fd || err != nil {
				_ = unix.Close(r)
			}
		}
	}()
	buffer, control := make([]byte, 4096), make([]byte, unix.CmsgSpace(4*maxRights))
	for {
		n, oobn, flags, readErr := conn.receive(buffer, control)
		if text == nil { // crun connects when it creates the container and may speak when it starts it
			_ = conn.SetReadDeadline(time.Now().Add(patience))
		}
		more, rightsErr := descriptors(control[:oobn])
		rights = append(rights, more...)
		text = append(text, buffer[:n]...)
		switch {
		case rightsErr != nil:
			return -1, rightsErr
		case flags&unix.MSG_CTRUNC != 0 || len(rights) > maxRights:
			return -1, errors.New("the runtime sent too many descriptors")
		case len(text) > maxMessage:
			return -1, fmt.Errorf("the runtime's message is longer than %d bytes", maxMessage)
		case readErr == nil && !complete(text):
			continue // it comes in several parts
		case len(text) == 0 && readErr != nil:
			return -1, errSilent
		}
		return notifyDescriptor(text, rights)
	}
}

// complete reports whether there is a message, though the connection is still open.
func complete(text []byte) bool {
	return bytes.HasSuffix(bytes.TrimSpace(text), []byte("}")) && json.Valid(text)
}

// fromRoot returns an error for a peer that is not root on this machine.
func fromRoot(conn *stream) error {
	peer, err := conn.peer()
	if err != nil {
		return err
	}
	if int(peer.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: user %d", errStranger, peer.Uid)
	}
	return nil
}

// descriptors returns the descriptors of a message. They are open also if there is an error.
func descriptors(control []byte) (rights []int, err error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_RIGHTS {
			fds, err := unix.ParseUnixRights(&m)
			if err != nil {
				return rights, err
			}
			rights = append(rights, fds...)
		}
	}
	return rights, nil
}

// notifyDescriptor returns the one that the message calls the notify descriptor.
func notifyDescriptor(text []byte, rights []int) (int, error) {
	place, err := seccompPlace(text, len(rights))
	if err != nil {
		return -1, err
	}
	fd := rights[place]
	if what, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err != nil || !strings.Contains(what, "seccomp notify") {
		return -1, fmt.Errorf("the runtime's %s is no notify descriptor", specs.SeccompFdName)
	}
	return fd, nil
}

// seccompPlace returns the place of the notify descriptor among the n of a message.
func seccompPlace(text []byte, n int) (int, error) {
	var state specs.ContainerProcessState
	if err := json.Unmarshal(text, &state); err != nil {
		return 0, fmt.Errorf("the runtime's message: %w", err)
	}
	place := slices.Index(state.Fds, specs.SeccompFdName)
	switch {
	case place < 0:
		return 0, fmt.Errorf("the runtime's message names no %s among its descriptors", specs.SeccompFdName)
	case len(state.Fds) != n:
		return 0, fmt.Errorf("the runtime's message names %d descriptors and has %d", len(state.Fds), n)
	}
	return place, nil
}
