package programtest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// Proxy starts a load balancer before servers, http://HOST:PORT each, and returns its own address:
// each request goes to another server than the last, as the client sent it, its Host too. It is
// gone with the test.
func Proxy(t testing.TB, servers ...string) string {
	t.Helper()
	hosts := make([]string, len(servers))
	for n, server := range servers {
		address, err := url.Parse(server)
		if err != nil {
			t.Fatal(err)
		}
		hosts[n] = address.Host
	}
	var requests atomic.Uint64
	transport := &http.Transport{DisableCompression: true}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", hosts[requests.Add(1)%uint64(len(hosts))]
			r.Out.URL.RawQuery = r.In.URL.RawQuery // with what Go's proxy takes for wrong
		},
	})
	t.Cleanup(transport.CloseIdleConnections)
	t.Cleanup(proxy.Close)
	return proxy.URL
}
