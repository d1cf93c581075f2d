package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// clients is how many send requests at the same time.
	clients = 16
	// lead is how long clients work before they are measured, so that all of them are at it.
	lead = 100 * time.Millisecond
	// maxWait is how long an answer may take.
	maxWait = 30 * time.Second
)

// target is a server that requests are sent to.
type target struct {
	address string // HOST:PORT
	token   string
}

// connection sends requests and reads answers, one after the other. It is plainer than net/http's
// client, which would take more processor time than the servers that are measured.
type connection struct {
	net.Conn
	target
	in *bufio.Reader
}

func dial(t target) (*connection, error) {
	conn, err := net.Dial("tcp", t.address)
	if err != nil {
		return nil, err
	}
	return &connection{conn, t, bufio.NewReaderSize(conn, 1<<16)}, nil
}

// do sends a request and reads the answer. A status that is not expected is an error.
func (c *connection) do(r request) (http.Header, error) {
	if err := c.SetDeadline(time.Now().Add(maxWait)); err != nil {
		return nil, err
	}
	text := r.method + " " + r.path + " HTTP/1.1\r\nHost: " + c.address + "\r\nAuthorization: Token " + c.token + "\r\n"
	if r.body != "" {
		text += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(r.body))
	}
	if _, err := io.WriteString(c, text+"\r\n"+r.body); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.in, &http.Request{Method: r.method})
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != r.status {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return nil, fmt.Errorf("%s %s%s: status %d, want %d: %s",
			r.method, c.address, r.path, answer.StatusCode, r.status, body)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.Header, err
}

// result is what clients saw.
type result struct {
	all      int     // requests, those before the measured time too
	rps      float64 // answers a second
	p50, p99 float64 // milliseconds
}

// send has n clients send an operation's requests: each sends the next one as soon as the last one is
// answered. Each waits for the answer to its last one, and that counts.
func send(t target, op operation, w workload, n int, duration time.Duration) (result, error) {
	begin := time.Now().Add(lead)
	end := begin.Add(duration)
	results := make([]result, n)
	took := make([][]time.Duration, n)
	var group errgroup.Group
	for i := range n {
		group.Go(func() error {
			c, err := dial(t)
			if err != nil {
				return err
			}
			defer c.Close()
			var first time.Time // when the first request was sent that counts
			for r := &results[i]; time.Now().Before(end) || len(took[i]) == 0 || op.pairs && r.all%2 == 1; r.all++ {
				sent := time.Now()
				if _, err := c.do(op.request(w, i, r.all)); err != nil {
					return err
				}
				if sent.Before(begin) {
					continue
				}
				if len(took[i]) == 0 {
					first = sent
				}
				took[i] = append(took[i], time.Since(sent))
			}
			results[i].rps = float64(len(took[i])) / time.Since(first).Seconds()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return result{}, err
	}
	sorted := slices.Sorted(slices.Values(slices.Concat(took...)))
	sum := result{p50: milliseconds(quantile(sorted, 0.5)), p99: milliseconds(quantile(sorted, 0.99))}
	for _, r := range results {
		sum.all += r.all
		sum.rps += r.rps
	}
	return sum, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// quantile returns the smallest value of a sorted list that at least the fraction q of it does not
// exceed (the nearest rank).
func quantile[T cmp.Ordered](sorted []T, q float64) T {
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

func median(values []float64) float64 { return quantile(slices.Sorted(slices.Values(values)), 0.5) }
