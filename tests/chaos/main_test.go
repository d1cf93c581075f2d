//go:build chaos || soak

// Package chaos breaks what the program stands on while people use it: it kills the program, its
// database and its load balancer's other servers, and fills its disk. What a client was told that
// it has been done has to be there afterwards.
//
// The tests run the program as it is built, and real Postgres clusters, haproxy and strace:
// `make chaos` starts them. Some need root.
package chaos

import (
	"os"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

func TestMain(m *testing.M) { os.Exit(programtest.Main(m)) }
