package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// selfSigned writes a certificate for 127.0.0.1 and its key, and returns both files.
func selfSigned(t *testing.T) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certificate, key, pool = write("cert.pem", "CERTIFICATE", public), write("key.pem", "PRIVATE KEY", secret), x509.NewCertPool()
	content, err := os.ReadFile(certificate)
	if err != nil || !pool.AppendCertsFromPEM(content) {
		t.Fatal(err)
	}
	return certificate, key, pool
}

// trusting is a client that speaks one version of TLS with servers whose certificate is in the pool.
func trusting(pool *x509.CertPool, version uint16) *http.Client {
	return &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: version, MaxVersion: version}}}
}

// With a certificate the server speaks TLS 1.2 and later, HTTP/2 too, and nothing else.
func TestTLS(t *testing.T) {
	certificate, key, pool := selfSigned(t)
	p := start(t, "--demo", "--database-url=sqlite::memory:", "--anonymous-read", "--tls-cert="+certificate, "--tls-key="+key)
	if !strings.HasPrefix(p.Address, "https://127.0.0.1:") {
		t.Fatalf("address %s", p.Address)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client := trusting(pool, version)
		response, err := client.Get(p.Address + organisations)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK || response.ProtoMajor != 2 || response.Header.Get("Strict-Transport-Security") != "max-age=31536000" ||
			!strings.HasPrefix(response.Header.Get("Link"), "<"+p.Address+"/api/") {
			t.Errorf("%s: %d %s %v", tls.VersionName(version), response.StatusCode, response.Proto, response.Header)
		}
	}
	address := strings.TrimPrefix(p.Address, "https://")
	old := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if connection, err := tls.Dial("tcp", address, old); err == nil {
		_ = connection.Close()
		t.Error("TLS 1.1 is spoken")
	}
	if response, err := http.Get("http://" + address + "/healthz"); err == nil {
		_ = response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: status %d", response.StatusCode)
		}
	}
	p.Stop(t)
}
