package server_test

import (
	"os"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
