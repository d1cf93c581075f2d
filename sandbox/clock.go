package sandbox

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/opencalls/opencalls/store"
)

// Clock is a clock that can be set. Its zero value is the machine's clock. Its methods may be called from
// several goroutines.
type Clock struct{ setting atomic.Pointer[setting] }

// setting is a time and how fast it passes.
type setting struct {
	now   time.Time
	speed float64   // 1 is as fast as time
	since time.Time // when it was made, by the machine's clock; zero where that is the clock
}

var latest = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)

// Use makes it a store's clock. It also has the store not wait for the disk.
func (c *Clock) Use(cfg *store.Config) { cfg.Now, cfg.Volatile = c.Now, true }

// Now is the time.
func (c *Clock) Now() time.Time { return c.get().now }

// get returns the setting with which put brings the clock back to where it is.
func (c *Clock) get() setting {
	made := c.setting.Load()
	if made == nil || made.since.IsZero() {
		return setting{now: time.Now(), speed: 1}
	}
	now := *made
	now.now = now.now.Add(time.Duration(float64(time.Since(now.since)) * now.speed))
	if now.now.After(latest) {
		now.now = latest
	}
	return now
}

func (c *Clock) put(s setting) {
	if !s.since.IsZero() {
		s.since = time.Now()
	}
	c.setting.Store(&s)
}

// Set moves the clock to a time from 1970 to 9999. From then on it is speed times as fast as time: at 0
// it stands still, and 1,000 is the most.
func (c *Clock) Set(now time.Time, speed float64) error {
	switch {
	case now.Before(time.Unix(0, 0)) || now.After(latest):
		return errors.New("want a time from 1970 to 9999")
	case speed < 0 || speed > 1000:
		return errors.New("want a speed from 0 to 1000")
	}
	c.put(setting{now, speed, time.Now()})
	return nil
}

// Advance moves the clock on, or back by a negative duration. Its speed stays.
func (c *Clock) Advance(by time.Duration) error {
	at := c.get()
	return c.Set(at.now.Add(by), at.speed)
}
