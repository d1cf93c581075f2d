package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"

	"github.com/opencalls/opencalls/server"
)

// NetworkFlags are the hosts, proxies, origins and certificate of the server.
type NetworkFlags struct {
	AllowedHosts   []string  `name:"allowed-hosts" placeholder:"HOST" help:"Hosts that requests may name, .example.com with all below it; without it all hosts."`
	TrustedProxies []network `name:"trusted-proxies" placeholder:"CIDR" help:"Networks or addresses of proxies whose X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto count, such as 10.0.0.0/8; without it they are ignored."`
	CORSOrigin     []string  `name:"cors-origin" placeholder:"ORIGIN" help:"Origin whose pages may use the API from a browser, such as https://portal.example.com, or *; repeatable."`
	TLSCert        string    `name:"tls-cert" type:"existingfile" placeholder:"FILE" help:"Certificate with its chain (PEM): serve HTTPS. It is read only at startup."`
	TLSKey         string    `name:"tls-key" type:"existingfile" placeholder:"FILE" help:"Private key of the certificate (PEM)."`
}

var (
	hostPattern   = regexp.MustCompile(`^\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$|^\[[0-9A-Fa-f:.]+\]$`)
	originPattern = regexp.MustCompile(`^https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]+)?$`)
)

// AfterApply refuses what no server could work with, before anything is opened.
func (f NetworkFlags) AfterApply() error {
	for _, host := range f.AllowedHosts {
		if !hostPattern.MatchString(host) {
			return fmt.Errorf("--allowed-hosts: want a host such as example.com or .example.com, without a port, not %q", host)
		}
	}
	for _, origin := range f.CORSOrigin {
		if origin != "*" && !isOrigin(origin) {
			return fmt.Errorf("--cors-origin: want an origin such as https://portal.example.com, or *, not %q", origin)
		}
	}
	if (f.TLSCert == "") != (f.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key: want both or none")
	}
	if f.TLSCert == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(f.TLSCert, f.TLSKey); err != nil {
		return fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	return nil
}

// isOrigin says that the text is a scheme and a host, maybe with a port.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || !originPattern.MatchString(text) {
		return false
	}
	_, err = strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil
}

// network is a network or, as one, a single address.
type network struct{ netip.Prefix }

// UnmarshalText reads 10.0.0.0/8 or 10.0.0.1.
func (n *network) UnmarshalText(text []byte) error {
	address, err := netip.ParseAddr(string(text))
	if err == nil {
		address = address.Unmap().WithZone("")
		n.Prefix = netip.PrefixFrom(address, address.BitLen())
	} else if n.Prefix, err = netip.ParsePrefix(string(text)); err != nil {
		return fmt.Errorf("want a network such as 10.0.0.0/8, or an address, not %q", text)
	}
	return nil
}

// checkAddress returns the host of a flag's HOST:PORT, which may be "". Its error names the flag.
func checkAddress(flag, address string) (host string, err error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", flag, err)
	}
	return host, err
}

// ofServer sets the hosts, proxies and origins.
func (f NetworkFlags) ofServer(cfg *server.Config) {
	cfg.AllowedHosts, cfg.CORSOrigins = f.AllowedHosts, f.CORSOrigin
	for _, proxy := range f.TrustedProxies {
		cfg.TrustedProxies = append(cfg.TrustedProxies, proxy.Prefix)
	}
}

// serve accepts connections until it fails or the server is shut down.
func (f NetworkFlags) serve(web *http.Server, listener net.Listener) error {
	if f.TLSCert == "" {
		return web.Serve(listener)
	}
	return web.ServeTLS(listener, f.TLSCert, f.TLSKey)
}

// url is the listener's URL.
func (f NetworkFlags) url(listener net.Listener) string {
	if f.TLSCert == "" {
		return "http://" + listener.Addr().String()
	}
	return "https://" + listener.Addr().String()
}
