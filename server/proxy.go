package server

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
)

// clientAddress returns how a client's address is found: the last one in X-Forwarded-For that is no
// trusted proxy's, where a trusted proxy sends the request.
func clientAddress(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, prefix := range trusted {
		network := &net.IPNet{IP: prefix.Masked().Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
		options = append(options, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// originOf returns the scheme and host that the client named, by what a trusted proxy says. It gives the
// request this host.
func originOf(r *http.Request, trusted []netip.Prefix) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	if slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(peer.Addr().Unmap().WithZone("")) }) {
		r.Host = cmp.Or(lastOf(r.Header.Values("X-Forwarded-Host")), r.Host)
		proto := strings.ToLower(lastOf(r.Header.Values(echo.HeaderXForwardedProto)))
		if proto == "http" || proto == "https" {
			scheme = proto
		}
	}
	if r.Host == "" { // HTTP/1.0 needs none
		return fmt.Sprintf("%s://%s", scheme, r.Context().Value(http.LocalAddrContextKey))
	}
	return scheme + "://" + r.Host
}

// lastOf returns what the nearest proxy says in a header.
func lastOf(values []string) string {
	all := strings.Split(strings.Join(values, ","), ",")
	return strings.TrimSpace(all[len(all)-1])
}

// hostPattern is what a Host header may be: a name or an address, and a port. It goes into URLs, and
// those into headers that clients split at commas.
var hostPattern = regexp.MustCompile(`^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// checkHost refuses a request for a host that is not ours. Health checks name the host by its address.
func (cfg Config) checkHost(c echo.Context) error {
	if r := c.Request(); !allowsHost(cfg.AllowedHosts, r.Host) && !isHealthCheck(r) {
		return handlers.Refuse(http.StatusBadRequest, "Host is not allowed.")
	}
	return nil
}

// allowsHost says whether a host is allowed. An allowed .example.com is example.com and all hosts
// below it; if there are no allowed hosts, every host is allowed. The port doesn't matter.
func allowsHost(allowed []string, host string) bool {
	if len(allowed) == 0 {
		return host == "" || hostPattern.MatchString(host) // HTTP/1.0 needs none
	}
	parts := hostPattern.FindStringSubmatch(host)
	if parts == nil {
		return false
	}
	name := strings.ToLower(strings.TrimSuffix(parts[1], "."))
	return slices.ContainsFunc(allowed, func(pattern string) bool {
		pattern = strings.ToLower(pattern)
		return name == strings.TrimPrefix(pattern, ".") || strings.HasPrefix(pattern, ".") && strings.HasSuffix(name, pattern)
	})
}

func isHealthCheck(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }
