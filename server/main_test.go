package server_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) {
	if databaseURL := os.Getenv(replicaOf); databaseURL != "" {
		if err := serveReplica(databaseURL); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(storetest.Main(m))
}
