package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store/storetest"
)

// A body that does not come in time is 408, whatever the time for the work on a request is: the
// client is slow, not the server.
func TestEveryBodyHasToCome(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) {
		s.server.RequestTimeout = 30 * time.Second
		s.web = func(web *http.Server) {
			web.ReadHeaderTimeout, web.ReadTimeout = 30*time.Second, 100*time.Millisecond
		}
	})
	const late = "\r\n\r\n{\"detail\":\"The request body did not arrive in time.\"}\n"
	for _, op := range operations {
		if op.RequestBody == nil {
			continue
		}
		for _, length := range []string{"Content-Length: 100000", "Transfer-Encoding: chunked"} {
			t.Run(op.OperationID+"/"+length, func(t *testing.T) {
				got := raw(t, stage.app, stage.names.Replace(fmt.Sprintf("%s HTTP/1.1\r\nHost: x\r\nAuthorization: Token token-of-sam\r\n"+
					"Content-Type: application/json\r\n%s\r\n\r\n", op.example().request, length)))
				if !strings.HasPrefix(got, "HTTP/1.1 408 ") || !strings.HasSuffix(got, late) || !strings.Contains(got, "\r\nConnection: close\r\n") {
					t.Errorf("got\n%s", got)
				}
				if line := stage.log.one(t); line.Level != "INFO" || line.Status != 408 {
					t.Errorf("the log says %+v", line)
				}
				stage.checkChanges(t, scenario{})
			})
		}
	}
}
