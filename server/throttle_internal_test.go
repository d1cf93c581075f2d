package server

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A client that sends many requests at once, of which most are refused, waits no longer for its
// next one than it was told.
func TestRefusalsCostNothing(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimiters[int](RateLimit{PerSecond: 1, Burst: 1}, func() time.Time { return now }, newMetrics(nil).throttled.WithLabelValues("token"))
	for range 5 {
		var taken atomic.Int32
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if l.allow(1) == nil {
					taken.Add(1)
				}
			})
		}
		group.Wait()
		if n := taken.Load(); n != 1 {
			t.Fatalf("%d requests of a second were taken", n)
		}
		now = now.Add(time.Second)
	}
}

// However many clients come, few are remembered, and who was refused stays so as long as few come.
func TestLimitersAreForgotten(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimiters[int](RateLimit{PerSecond: 1, Burst: 10}, func() time.Time { return now }, newMetrics(nil).throttled.WithLabelValues("token"))
	for client := range 5 * maxLimiters {
		if err := l.allow(client); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(l.recent) + len(l.earlier); n > 2*maxLimiters {
		t.Errorf("%d clients are remembered", n)
	}
	now = now.Add(time.Minute)
	for range 10 {
		if err := l.allow(-1); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 { // it is refused in each of these seconds but for the one token that it earns
		now = now.Add(time.Second)
		if l.allow(-1) != nil || l.allow(-1) == nil {
			t.Fatal("the bucket was forgotten too early")
		}
	}
	now = now.Add(time.Minute)
	_ = l.allow(1)
	now = now.Add(time.Minute)
	_ = l.allow(1)
	if l.recent[-1] != nil || l.earlier[-1] != nil {
		t.Error("a client that has been gone for long is remembered")
	}
}
