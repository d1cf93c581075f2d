package server_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// Three processes on one database, where a proxy gives each request to another one than the last,
// answer as one does: no answer depends on what a process remembers of the requests before.
func TestScenariosOnReplicas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		stage := newStage(t, engine, func(s *setup) { s.replicas = 3 })
		for _, s := range scenarios() {
			if ok := t.Run(s.key(), func(t *testing.T) { stage.play(t, s) }); !ok || len(s.events) > 0 {
				stage.restore(t)
			}
		}
		for n, replica := range stage.replicas {
			if served := replica.served.Load(); served < int64(len(scenarios())/3) {
				t.Errorf("process %d has had %d requests", n, served)
			}
		}
	})
}

// replica is a process that serves.
type replica struct {
	app    *app
	served atomic.Int64 // how many requests
}

// Write takes in what the process logs, a line for each request.
func (r *replica) Write(lines []byte) (int, error) {
	n := bytes.Count(lines, []byte("\n"))
	r.served.Add(int64(n))
	_, _ = r.app.log.Write(lines) // into memory
	for range n {
		r.app.handled <- struct{}{}
	}
	return len(lines), nil
}

// startReplicas starts processes on a database, and returns the URL at which they take turns.
func (a *app) startReplicas(t testing.TB, databaseURL string, n int) string {
	t.Helper()
	addresses := make([]string, n)
	for i := range addresses {
		r := &replica{app: a}
		a.replicas = append(a.replicas, r)
		process := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0])
		process.Env = append(os.Environ(), replicaOf+"="+databaseURL)
		process.Stderr = r
		stdin, err := process.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := process.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = stdin.Close()
			if err := process.Wait(); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
		})
		line, err := bufio.NewReader(stdout).ReadString('\n')
		if err != nil {
			t.Fatalf("process %d: %v: %s", i, err, a.log.take())
		}
		addresses[i] = strings.TrimSpace(line)
	}
	return programtest.Proxy(t, addresses...)
}

// replicaOf is the variable that makes this program, in place of tests, a server on the database
// whose URL it holds.
const replicaOf = "OPENCALLS_TEST_REPLICA_OF"

// serveReplica serves until its input ends, as it does with the test. Its clock is that of the
// test, and the ids of each request begin anew.
func serveReplica(databaseURL string) error {
	clock, ids := storetest.NewClock(), &ids{}
	storeConfig := store.Config{URL: databaseURL, Logger: slog.New(slog.DiscardHandler)}
	clock.Use(&storeConfig)
	ids.use(&storeConfig)
	s, err := store.Open(context.Background(), storeConfig)
	if err != nil {
		return err
	}
	defer s.Close()
	cfg := config(clock, os.Stderr)
	cfg.Store = s
	handler, err := server.New(cfg)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() {
		_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ids.serve()
			handler.ServeHTTP(w, r)
		}))
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
