package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"

	"github.com/opencalls/opencalls/server"
)

// networkFlags are the hosts, proxies, origins and certificate of the server.
type networkFlags struct {
	AllowedHosts   []string       `name:"allowed-hosts" placeholder:"HOST" help:"Hosts that requests may name, .example.com with all below it; without it all hosts."`
	TrustedProxies []netip.Prefix `name:"trusted-proxies" placeholder:"CIDR" help:"Networks of proxies whose X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto count, such as 10.0.0.0/8; without it they are ignored."`
	CORSOrigin     []string       `name:"cors-origin" placeholder:"ORIGIN" help:"Origin whose pages may use the API from a browser, such as https://portal.example.com, or *; repeatable."`
	TLSCert        string         `name:"tls-cert" type:"existingfile" placeholder:"FILE" help:"Certificate with its chain (PEM): serve HTTPS. It is read only at startup."`
	TLSKey         string         `name:"tls-key" type:"existingfile" placeholder:"FILE" help:"Private key of the certificate (PEM)."`
}

var (
	hostPattern   = regexp.MustCompile(`^\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$|^\[[0-9A-Fa-f:.]+\]$`)
	originPattern = regexp.MustCompile(`^https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]+)?$`)
)

func (f networkFlags) check() error {
	for _, host := range f.AllowedHosts {
		if !hostPattern.MatchString(host) {
			return usageError{fmt.Errorf("--allowed-hosts: want a host such as example.com or .example.com, without a port, not %q", host)}
		}
	}
	for _, origin := range f.CORSOrigin {
		if u, err := url.Parse(origin); origin != "*" && (err != nil || !originPattern.MatchString(origin) || u.Host == "") {
			return usageError{fmt.Errorf("--cors-origin: want an origin such as https://portal.example.com, or *, not %q", origin)}
		}
	}
	if (f.TLSCert == "") != (f.TLSKey == "") {
		return usageError{errors.New("--tls-cert and --tls-key: want both or none")}
	}
	if _, err := f.tls(); err != nil {
		return usageError{fmt.Errorf("--tls-cert and --tls-key: %w", err)}
	}
	return nil
}

// tls returns how connections are encrypted; nil where they are not.
func (f networkFlags) tls() (*tls.Config, error) {
	if f.TLSCert == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(f.TLSCert, f.TLSKey)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	}, nil
}

// ofServer sets the hosts, proxies and origins.
func (f networkFlags) ofServer(cfg *server.Config) {
	cfg.AllowedHosts, cfg.TrustedProxies, cfg.CORSOrigins = f.AllowedHosts, f.TrustedProxies, f.CORSOrigin
}

// secure encrypts the listener's connections, if they are to be, and returns its URL.
func (f networkFlags) secure(listener net.Listener) (net.Listener, string, error) {
	config, err := f.tls()
	if err != nil || config == nil {
		return listener, "http://" + listener.Addr().String(), err
	}
	return tls.NewListener(listener, config), "https://" + listener.Addr().String(), nil
}
