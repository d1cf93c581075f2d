//go:build chaos

// Package chaos breaks what the program stands on while people use it: it kills the program, its
// database and its load balancer's other servers, and fills its disk. What a client was told that
// it has been done has to be there afterwards.
//
// The tests run the program as it is built, and real Postgres clusters, haproxy and strace:
// `make chaos` starts them. Some need root.
package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// binary is the program as a user builds it.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "opencalls-binary-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "opencalls")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "../cmd/opencalls").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return storetest.Main(m)
}
