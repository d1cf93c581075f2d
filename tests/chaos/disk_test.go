//go:build chaos

package chaos

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencalls/opencalls/tests/world"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// A disk that is full: writes are 503 and the log says why, reads go on, and as soon as there is
// room again all is well.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t)
	databaseURL := "sqlite:" + filepath.Join(disk, "opencalls.db")
	flag := populate(t, databaseURL)
	p := programtest.Start(t, flag)
	l := newLoad()
	stop := l.run(p.Address)
	l.wait(t, 10*workers, "before the disk is full", done)
	none(t, l.taken(), "before the disk is full", failed)

	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	// What SQLite's log holds room for still goes through.
	l.wait(t, 2*workers, "while the disk is full", failed)
	none(t, l.taken(), "while the disk is full", func(a answer) bool { return failed(a) && !refusedForNow(a) })
	if list := do(world.NewClient(p.Address), http.MethodGet, base, world.Body{}, ""); list.Status != http.StatusOK {
		t.Errorf("reading: %s", list)
	}
	programtest.Within(t, "the log says that the disk is full", func() bool {
		log := p.Log.String()
		return strings.Contains(log, `"status":503`) && strings.Contains(log, "database or disk is full")
	})

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	room := time.Now()
	withRoom := func(a answer) bool { return a.sent.After(room) }
	l.wait(t, 10*workers, "with room again", func(a answer) bool { return withRoom(a) && done(a) })
	stop()
	none(t, l.taken(), "with room again", func(a answer) bool { return withRoom(a) && failed(a) })
	p.Stop(t)
	l.check(t, databaseURL)
}

// smallDisk mounts a file system of 16 MiB until the test ends, and returns its directory.
func smallDisk(t *testing.T) string {
	t.Helper()
	asRoot := func(line ...string) error {
		if os.Getuid() != 0 {
			line = append([]string{"sudo", "-n"}, line...)
		}
		if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(line, " "), err, out)
		}
		return nil
	}
	dir := t.TempDir()
	if err := asRoot("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=16m,uid=%d", os.Getuid()), "opencalls-chaos", dir); err != nil {
		t.Fatalf("this test mounts a small file system, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := asRoot("umount", "--lazy", dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes to a file until there is no room for more.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, size := range []int{1 << 20, 1 << 10, 1} {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}
