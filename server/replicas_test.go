package server_test

import (
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// Three servers on one database, where each request goes to another one than the last, answer as
// one does: no answer depends on what a server remembers of the requests before.
func TestScenariosOnReplicas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		stage := newStage(t, engine, func(s *setup) { s.replicas = 3 })
		for _, s := range scenarios() {
			if ok := t.Run(s.key(), func(t *testing.T) { stage.play(t, s) }); !ok || len(s.events) > 0 {
				stage.restore(t)
			}
		}
	})
}
