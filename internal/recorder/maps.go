package recorder

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cilium/ebpf"
)

// What the programs keep. A tag names one container: the low half is its place, the high half
// says how often the place was given away; 0 is no container.
type maps struct {
	Members *ebpf.Map // a process → its tag
	Spaces  *ebpf.Map // a mount namespace → its tag, 0 if it is not recorded
	Free    *ebpf.Map // tags that nobody has
	Current *ebpf.Map // a place → the tag that it is given to
	Settled *ebpf.Map // a place → its tag, once somebody has said that it is to be recorded
	Cells   *ebpf.Map // place, architecture and number → cell
	Watch   *ebpf.Map // architecture and number → which arguments are recorded
	Values  *ebpf.Map // a value of an argument → who had it first
	Lost    *ebpf.Map // counts of what there was no room for
	Events  *ebpf.Map // mount namespaces that are new
}

// Numbers of calls are below this. The highest today are about 550.
const (
	numberBits = 10
	numbers    = 1 << numberBits
)

// cell is what is kept of a call of a container: when, by which process and program it was made
// first. Its layout is that of cellSize and the constants in sysenter.go.
type cell struct {
	Time   uint64
	Pid    uint32
	Tag    uint32
	Watch  uint32
	Values uint32
	Comm   [16]byte
}

// value names a value of an argument; first says who had it first.
type (
	value struct {
		Tag, Where, Index, _ uint32
		Value                uint64
	}
	first struct {
		Time   uint64
		Pid, _ uint32
		Comm   [16]byte
	}
)

// event tells of an execve in a mount namespace that is new.
type event struct {
	Space, Time uint64
	Pid, Tag    uint32
	Inode       uint32
	Seccomp     uint32
	Flags       uint64
	Bounding    uint64
	Was, _      uint32
	// Unified and Legacy are the names of its cgroups, up to a 0, Above that of the one above Unified.
	Unified, Legacy, Above [groupBytes]byte
}

// groupBytes is how much of the name of a cgroup is kept: cri-containerd-, 64 digits and .scope are 85.
const groupBytes = 128

// Where the fields of an event are, in bytes.
const (
	eventTime, eventPid, eventTag, eventInode, eventSeccomp = 8, 16, 20, 24, 28
	eventFlags, eventBounding, eventWas                     = 32, 40, 48
	eventUnified, eventLegacy, eventAbove                   = 56, 56 + groupBytes, 56 + 2*groupBytes
	eventSize                                               = eventAbove + groupBytes
)

// Indexes of maps.Lost.
const (
	lostContainers = iota
	lostProcesses
	lostArguments
	lostCalls
	lostKinds
)

const (
	maxProcesses = 1 << 16
	maxSpaces    = 1 << 13
	maxValues    = 1 << 16
	maxOfACall   = 256 // values of one call
	eventBytes   = 1 << 18
)

func makeMaps(places int) (*maps, error) {
	m := new(maps)
	hash := func(kind ebpf.MapType, key, value, entries int) *ebpf.MapSpec {
		return &ebpf.MapSpec{Type: kind, KeySize: uint32(key), ValueSize: uint32(value), MaxEntries: uint32(entries)}
	}
	for _, each := range []struct {
		name string
		at   **ebpf.Map
		spec *ebpf.MapSpec
	}{
		{"members", &m.Members, hash(ebpf.Hash, 4, 4, maxProcesses)},
		{"spaces", &m.Spaces, hash(ebpf.LRUHash, 8, 4, maxSpaces)},
		{"free", &m.Free, hash(ebpf.Queue, 0, 4, places)},
		{"current", &m.Current, hash(ebpf.Array, 4, 4, places)},
		{"settled", &m.Settled, hash(ebpf.Array, 4, 4, places)},
		{"cells", &m.Cells, hash(ebpf.Array, 4, 40, places*len(arches)*numbers)},
		{"watch", &m.Watch, hash(ebpf.Array, 4, 4, len(arches)*numbers)},
		{"values", &m.Values, hash(ebpf.Hash, 24, 32, maxValues)},
		{"lost", &m.Lost, hash(ebpf.Array, 4, 8, lostKinds)},
		{"events", &m.Events, hash(ebpf.RingBuf, 0, 0, eventBytes)},
	} {
		each.spec.Name = "batten_" + each.name
		made, err := ebpf.NewMap(each.spec)
		if err != nil {
			m.close()
			return nil, unable("keep what is recorded ("+strings.ToLower(each.name)+")", err)
		}
		*each.at = made
	}
	return m, nil
}

func (m *maps) close() {
	for _, each := range []*ebpf.Map{m.Members, m.Spaces, m.Free, m.Current, m.Settled, m.Cells, m.Watch, m.Values, m.Lost, m.Events} {
		_ = each.Close() // of nil, too
	}
}

// put writes one entry of a map.
func put(m *ebpf.Map, key, value any) error {
	if err := m.Put(key, value); err != nil {
		return fmt.Errorf("%s: %w", m, err)
	}
	return nil
}

// each calls f with every entry of a hash map. Many are read by one system call, so that this takes
// a container's start no time; and none twice, whatever the programs take away meanwhile.
func each[K, V any](m *ebpf.Map, f func(K, V)) error {
	const batch = 1024 // entries; the kernel asks for room for the largest bucket
	keys, values := make([]K, batch), make([]V, batch)
	var at ebpf.MapBatchCursor
	for {
		n, err := m.BatchLookup(&at, keys, values, nil)
		for i := range n {
			f(keys[i], values[i])
		}
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil // that was all
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m, err)
		}
	}
}
