//go:build chaos

package chaos

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store/storetest"
)

const kills = 10

// A server that is killed while clients write and a file is imported, which is killed too: what
// was acknowledged is there, of the rest each write is there as a whole or not at all, and the next
// server goes on with it.
func TestKill(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		databaseURL := storetest.URL(t, engine)
		flag := populate(t, databaseURL)
		l, random := newLoad(), rand.New(rand.NewPCG(2, 0))
		imported := 0
		for set := 1; set <= kills; set++ {
			t.Run(fmt.Sprint("kill ", set), func(t *testing.T) {
				done := killOnce(t, l, flag, batch(t, set), set%2 == 0, random)
				none(t, l.taken(), "an error that is none of a killed server", func(a answer) bool { return a.status >= 500 && a.status != 503 })
				db := open(t, databaseURL)
				consistent(t, databaseURL, db)
				l.check(t, db)
				switch there := checkBatch(t, db, set); {
				case there:
					imported++
				case done:
					t.Error("the import said that it is done, and nothing is there")
				}
			})
		}
		n := l.acknowledged()
		t.Logf("%d writes acknowledged, %d imports of %d done", n, imported, kills)
	})
}

// killOnce starts a server and clients, then an import, and kills both after a while: in the middle
// of the import or right after it. It says whether the import said that it is done.
func killOnce(t *testing.T, l *load, flag, file string, afterImport bool, random *rand.Rand) (imported bool) {
	t.Helper()
	p := programtest.Start(t, flag)
	stop := l.run(p.Address)
	l.wait(t, 5*workers, "before it is killed", done)
	time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
	command := exec.Command(programtest.Binary, "import", file, flag)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if !afterImport {
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond) // less than an import takes, mostly
		_ = command.Process.Kill()
	}
	err := command.Wait()
	p.Kill(t)
	stop()
	if afterImport && err != nil {
		t.Errorf("import: %v", err)
	}
	return err == nil
}
