//go:build chaos

package chaos

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

const kills = 10

// What becomes of an import beside which the server is killed.
const (
	isCut   = "it is in its middle, and killed too"
	goesOn  = "it is in its middle, and goes on"
	hasDone = "it is done"
)

// A server that is killed while clients write and a file is imported: what was acknowledged is
// there, of the rest each write is there as a whole or not at all, of an import that is killed too
// there is nothing, and the next server goes on with it.
func TestKill(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		databaseURL := storetest.URL(t, engine)
		flag := populate(t, databaseURL)
		l, random := newLoad(), rand.New(rand.NewPCG(2, 0))
		for set := 1; set <= kills; set++ {
			end := []string{hasDone, isCut, goesOn}[set%3]
			t.Run(fmt.Sprintf("kill %d: %s", set, end), func(t *testing.T) {
				killOnce(t, l, flag, batch(set), end, random)
				none(t, l.taken(), "an error that is none of a killed server", func(a answer) bool { return a.Status >= 500 && a.Status != 503 })
				db := l.check(t, databaseURL)
				if there := checkBatch(t, db, set); there != (end != isCut) {
					t.Errorf("all of the import is there: %v", there)
				}
			})
		}
		t.Logf("%d writes acknowledged", l.acknowledged())
	})
}

// killOnce starts a server and clients, then an import, and kills the server at some moment: when
// the import is in its middle, which ends as it should, or right after it.
func killOnce(t *testing.T, l *load, flag string, lines [][]byte, end string, random *rand.Rand) {
	t.Helper()
	p := programtest.Start(t, flag)
	stop := l.run(p.Address)
	defer stop()
	l.wait(t, 5*workers, "before it is killed", done)
	i := startImport(t, flag)
	// Two statements' customers are written and one's organisations: more than can be on its way
	// to the import, 128 KiB, follows them.
	middle := batchSize + store.ImportBatch + 60 + random.IntN(batchSize)
	i.send(t, lines[:middle])
	pause := time.Duration(random.IntN(100)) * time.Millisecond
	switch end {
	case isCut:
		time.Sleep(pause)
		p.Kill(t)
		_ = i.Process.Kill()
		if _ = i.Wait(); i.ProcessState.Exited() {
			t.Errorf("the import ended before it was killed: %s", i.output.String())
		}
	case goesOn:
		time.Sleep(pause)
		p.Kill(t)
		i.send(t, lines[middle:])
		i.finish(t)
	case hasDone:
		i.send(t, lines[middle:])
		i.finish(t)
		p.Kill(t)
	}
}

// running is an import that is under way and reads its standard input.
type running struct {
	*exec.Cmd
	stdin  io.WriteCloser
	output bytes.Buffer // once it has ended
}

func startImport(t *testing.T, flag string) *running {
	t.Helper()
	i := &running{Cmd: exec.Command(programtest.Binary, "import", "-", flag)}
	i.Stdout, i.Stderr = &i.output, &i.output
	var err error
	if i.stdin, err = i.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := i.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Process.Kill(); _ = i.Wait() })
	return i
}

// send waits until the import has read the lines, but for what a pipe holds.
func (i *running) send(t *testing.T, lines [][]byte) {
	t.Helper()
	if _, err := i.stdin.Write(bytes.Join(lines, nil)); err != nil {
		_ = i.Wait() // for all that it says
		t.Fatalf("the import ended: %v: %s", err, i.output.String())
	}
}

// finish waits for the import's end, which has to be a good one.
func (i *running) finish(t *testing.T) {
	t.Helper()
	_ = i.stdin.Close()
	if err := i.Wait(); err != nil {
		t.Errorf("import: %v: %s", err, i.output.String())
	}
}
