package main

import (
	"sync/atomic"
	"time"
)

const (
	// lead is how long clients work before they are measured, so that all of them are at it.
	lead = 100 * time.Millisecond
	// leastAnswers is how many answers each client gets while measured, on average, before the
	// time is over: what is slow is measured for longer.
	leastAnswers = 4
	// mostTimes is how many times as long at most.
	mostTimes = 4
)

// window is the time in which what several clients do is measured.
type window struct {
	begin, end, latest time.Time
	least              int64
	count              atomic.Int64
	closed             atomic.Pointer[time.Time]
}

func newWindow(duration time.Duration, clients int) *window {
	begin := time.Now().Add(lead)
	return &window{begin: begin, end: begin.Add(duration), latest: begin.Add(mostTimes * duration), least: int64(leastAnswers * clients)}
}

// over says whether the clients are to stop.
func (w *window) over() bool {
	now := time.Now()
	switch {
	case w.closed.Load() != nil:
		return true
	case now.Before(w.end), w.count.Load() < w.least && now.Before(w.latest):
		return false
	}
	w.closed.CompareAndSwap(nil, &now)
	return true
}

// done counts something that was done at a time, and says whether that was in the window.
func (w *window) done(at time.Time) bool {
	if at.Before(w.begin) {
		return false
	}
	if closed := w.closed.Load(); closed != nil && at.After(*closed) {
		return false
	}
	w.count.Add(1)
	return true
}

// rate is how many were done a second, once it is over.
func (w *window) rate() float64 {
	closed := w.closed.Load()
	if closed == nil {
		return 0
	}
	return float64(w.count.Load()) / closed.Sub(w.begin).Seconds()
}
