package machines

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// guest is what the machine's own unit runs.
//
//go:embed guest.sh
var guest []byte

// machine is an emulated one. Its disk lives as long as the test.
type machine struct {
	image    string   // directory of the kernels, their initrds and the disks
	disk     string   // the file that the disk is a copy of
	release  string   // that the kernel is of, where it is not the disk's own
	emulator []string // qemu's program, and the machine and processor that it is to be
	kernel   string   // the kernel's command line, beside the root
	memory   string   // in MiB, 2048 if empty; a tenth of it holds what the machine is brought
	counted  bool     // one processor whose clock goes on by a nanosecond an instruction
	dir      string
	boots    int
}

// bootLimit is how long a machine may take from power on to power off.
const bootLimit = 12 * time.Minute

// outSize is the size of the disk on which the machine leaves what it printed.
const outSize = 8 << 20

// debian12 returns a fresh machine of x86_64.
func debian12(t *testing.T) *machine {
	t.Helper()
	return fresh(t, machine{
		image: "machine-debian-12", disk: "disk",
		emulator: []string{"qemu-system-x86_64", "-cpu", "max"},
		kernel:   "console=ttyS0 syscall.x32=y quiet",
	})
}

// debian12more returns a fresh machine of x86_64 that has Docker, Podman and Buildah, too, with
// the kernel of a release of Debian: its own for "".
func debian12more(t *testing.T, release string) *machine {
	t.Helper()
	return fresh(t, machine{
		image: "machine-debian-12", disk: "disk-more", release: release,
		emulator: []string{"qemu-system-x86_64", "-cpu", "max"},
		kernel:   "console=ttyS0 syscall.x32=y quiet",
	})
}

// debian12arm64 returns a fresh machine of arm64 with a processor of qemu's.
func debian12arm64(t *testing.T, processor string) *machine {
	t.Helper()
	return fresh(t, machine{
		image: "machine-debian-12-arm64", disk: "disk",
		emulator: []string{"qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", processor},
		kernel:   "console=ttyAMA0 quiet",
	})
}

// fresh copies the disk of a machine's image.
func fresh(t *testing.T, m machine) *machine {
	t.Helper()
	m.image, m.dir = filepath.Join(node.Cache(), m.image), t.TempDir()
	if !node.Exists(filepath.Join(m.image, ".done")) {
		node.Missing(t, "no machine to emulate: run integration/engines/build.sh machines")
	}
	if out, err := exec.Command("cp", "--sparse=always", filepath.Join(m.image, m.disk), filepath.Join(m.dir, "disk")).CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	return &m
}

// of is the kernel or the initrd that it boots.
func (m *machine) of(name string) string {
	if m.release != "" {
		name += "-" + m.release
	}
	return filepath.Join(m.image, name)
}

// said is what one command printed, and how it ended.
type said struct {
	text         string
	status       int
	began, ended float64 // seconds, by the machine's clock
}

// boot starts the machine, has it run commands with files beside them, and returns what
// they said once the machine has ended.
func (m *machine) boot(t *testing.T, commands []string, files map[string][]byte) []said {
	t.Helper()
	m.boots++
	files["commands"] = []byte(strings.Join(commands, "\n") + "\n")
	files["guest.sh"] = guest
	in, out := filepath.Join(m.dir, "in"), filepath.Join(m.dir, "out")
	write(t, in, pack(t, files))
	write(t, out, make([]byte, outSize))
	ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
	defer cancel()
	drive := func(path string) string { return "file=" + path + ",if=virtio,format=raw,cache=unsafe" }
	processors := []string{"-accel", "tcg,thread=multi", "-smp", "2"}
	if m.counted {
		processors = []string{"-accel", "tcg,thread=single", "-smp", "1", "-icount", "shift=0,sleep=off"}
	}
	cmd := exec.CommandContext(ctx, m.emulator[0], append(append(m.emulator[1:], processors...), "-m", cmp.Or(m.memory, "2048"),
		"-kernel", m.of("vmlinuz"), "-initrd", m.of("initrd"),
		"-append", "root=/dev/vda rw "+m.kernel,
		"-drive", drive(filepath.Join(m.dir, "disk")), "-drive", drive(in), "-drive", drive(out),
		"-nic", "none", "-no-reboot", "-nographic", "-monitor", "none", "-serial", "stdio")...)
	var console bytes.Buffer
	cmd.Stdout, cmd.Stderr = &console, &console
	cmd.WaitDelay = 10 * time.Second
	began := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("boot %d: %v; the console ends:\n%s", m.boots, err, tail(console.String(), 60))
	}
	t.Logf("boot %d took %.0f s from power on to power off", m.boots, time.Since(began).Seconds())
	got := unpack(t, out)
	all := make([]said, len(commands))
	for i := range commands {
		file := func(kind string) string { return strings.TrimSpace(got[fmt.Sprintf("%d.%s", i+1, kind)]) }
		status, err := strconv.Atoi(file("status"))
		if err != nil {
			t.Fatalf("boot %d ended before %q; the console ends:\n%s", m.boots, commands[i], tail(console.String(), 60))
		}
		all[i] = said{text: got[fmt.Sprintf("%d.said", i+1)], status: status}
		all[i].began, _ = strconv.ParseFloat(file("began"), 64)
		all[i].ended, _ = strconv.ParseFloat(file("ended"), 64)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("containerd's log ends:\n%s", tail(got["containerd.log"], 30))
		}
	})
	return all
}

func pack(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, data := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unpack(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := map[string]string{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(h.Name)] = string(data)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tail returns the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
