package recorder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
)

// Tag names one container of a recorder.
type Tag uint32

// place is where the container's calls are kept.
func (t Tag) place() uint32 { return uint32(t) & 0xffff }

// cell is where maps.Cells has a call of the container, by its architecture and number.
func (t Tag) cell(where uint32) uint32 { return t.place()*uint32(len(arches)*numbers) + where }

// again returns the tag by which the same place is given away the next time.
func (t Tag) again() Tag {
	if next := t + 1<<16; next > 0xffff {
		return next
	}
	return Tag(t.place() | 1<<16)
}

// giveTags makes all places free.
func (r *Recorder) giveTags(places int) error {
	for place := range places {
		if err := r.give(Tag(place | 1<<16)); err != nil {
			return err
		}
	}
	return nil
}

// give makes a tag free to be taken.
func (r *Recorder) give(t Tag) error {
	if err := put(r.maps.Current, t.place(), uint32(t)); err != nil {
		return err
	}
	return put(r.maps.Free, nil, uint32(t))
}

// New is a mount namespace in which a program was started, and which was not known. Its processes
// are recorded, until Ignore is called with it.
type New struct {
	Tag Tag
	// Pid is the process that called execve, Time when it began the new program.
	Pid  int
	Time time.Time
	// Mounts is the mount namespace as /proc/<pid>/ns/mnt has it.
	Mounts string
	// Cgroup is the name of its cgroup after that of the one above, such as
	// system.slice/crun-0123.scope; empty if it is in the machine's.
	Cgroup string
	// Filtered says that it has a seccomp filter, NoNewPrivileges that PR_SET_NO_NEW_PRIVS is set;
	// Bounding has a bit for each capability of its bounding set.
	Filtered, NoNewPrivileges bool
	Bounding                  uint64
	// Was is where the process, or one that it was forked of, was recorded until then; 0 for
	// nowhere. A program may make a mount namespace before anybody has called Keep with its own.
	Was Tag

	space uint64
}

// ErrDone is the error of Next where its time has come.
var ErrDone = errors.New("nothing new")

// Next waits for the next mount namespace, until a time at most. The zero time is no bound.
func (r *Recorder) Next(until time.Time) (New, error) {
	r.events.SetDeadline(until)
	e, err := r.events.Read()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, ringbuf.ErrFlushed), errors.Is(err, ringbuf.ErrClosed):
		return New{}, ErrDone
	case err != nil:
		return New{}, err
	}
	var told event
	if _, err := binary.Decode(e.RawSample, binary.NativeEndian, &told); err != nil {
		return New{}, fmt.Errorf("what the kernel told of a container, %d bytes: %w", len(e.RawSample), err)
	}
	n := New{space: told.Space, Time: r.at(told.Time), Pid: int(told.Pid), Tag: Tag(told.Tag), Was: Tag(told.Was), Mounts: fmt.Sprintf("mnt:[%d]", told.Inode)}
	n.Filtered, n.NoNewPrivileges, n.Bounding = told.Seccomp == 2, told.Flags&1 != 0, told.Bounding
	n.Cgroup = path.Join(text(told.Above), text(told.Unified))
	if n.Cgroup == "" { // without a part in version 2
		n.Cgroup = text(told.Legacy)
	}
	r.spaces[n.Tag] = n.space
	return n, nil
}

// text is a name up to a 0; empty for that of the machine's own cgroup.
func text(name [groupBytes]byte) string {
	s, _, _ := bytes.Cut(name[:], []byte{0})
	return strings.Trim(string(s), "/")
}

// Ignore drops what was recorded in a mount namespace, and records nothing there any more.
func (r *Recorder) Ignore(n New) error {
	delete(r.spaces, n.Tag)
	if err := put(r.maps.Spaces, n.space, uint32(0)); err != nil {
		return err
	}
	return r.Drop(n.Tag)
}

// Keep says that a container is one to be recorded: what its processes execute is the container's,
// in other mount namespaces as well.
func (r *Recorder) Keep(t Tag) error { return put(r.maps.Settled, t.place(), uint32(t)) }

// Drop forgets what was recorded of a container, and gives its place away.
func (r *Recorder) Drop(t Tag) error {
	if space, ok := r.spaces[t]; ok {
		delete(r.spaces, t)
		if err := r.maps.Spaces.Delete(space); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return err
		}
	}
	if err := errors.Join(put(r.maps.Current, t.place(), uint32(0)), put(r.maps.Settled, t.place(), uint32(0))); err != nil {
		return err
	}
	// Its processes keep the tag until they end, and nothing is recorded of them. A program that
	// has just asked whether the tag is current may still be at work.
	time.Sleep(time.Millisecond)
	if err := r.forget(t); err != nil {
		return err
	}
	return r.give(t.again())
}

// forget makes room where the values of a container's arguments are.
func (r *Recorder) forget(t Tag) error {
	var old []value
	err := each(r.maps.Values, func(v value, _ first) {
		if Tag(v.Tag) == t {
			old = append(old, v)
		}
	})
	for _, v := range old {
		if err := r.maps.Values.Delete(v); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return err
		}
	}
	return err
}

// Processes returns those of each container that have not ended.
func (r *Recorder) Processes() (map[Tag][]int, error) {
	out := make(map[Tag][]int)
	err := each(r.maps.Members, func(pid, tag uint32) { out[Tag(tag)] = append(out[Tag(tag)], int(pid)) })
	return out, err
}

// Population returns how many processes each container has that have not ended.
func (r *Recorder) Population() (map[Tag]int, error) {
	all, err := r.Processes()
	out := make(map[Tag]int)
	for tag, pids := range all {
		out[tag] = len(pids)
	}
	return out, err
}

// ErrFull is the error where as many containers are recorded as there are places.
var ErrFull = errors.New("as many containers are recorded as there is room for")

// Take returns a tag for a container that runs already. Add puts its processes there.
func (r *Recorder) Take() (Tag, error) {
	var tag uint32
	err := r.maps.Free.LookupAndDelete(nil, &tag)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return 0, ErrFull
	}
	if err != nil {
		return 0, err
	}
	return Tag(tag), r.Keep(Tag(tag))
}

// Add has a process recorded from now on, and what it forks.
func (r *Recorder) Add(t Tag, pid int) error {
	if err := put(r.maps.Members, uint32(pid), uint32(t)); err != nil {
		return err
	}
	if procfs.Lives(pid) {
		return nil
	}
	// It has ended before, so that the kernel does not tell any more, and it would count for good.
	if err := r.maps.Members.Delete(uint32(pid)); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return err
	}
	return nil
}
