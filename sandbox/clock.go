package sandbox

import (
	"errors"
	"sync"
	"time"

	"github.com/opencalls/opencalls/store"
)

// Clock is a clock that can be set. Its zero value is the machine's clock. Its methods may be called from
// several goroutines.
type Clock struct {
	mu      sync.Mutex
	setting setting
	since   time.Time // when the setting was made, by the machine's clock
}

// setting is a time and how fast it passes; its zero value stands for the machine's time.
type setting struct {
	now   time.Time
	speed float64 // 1 is as fast as time
}

var (
	earliest = time.Unix(0, 0)
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
)

// Use makes it a store's clock. It also has the store not wait for the disk.
func (c *Clock) Use(cfg *store.Config) { cfg.Now, cfg.Volatile = c.Now, true }

// Now is the time.
func (c *Clock) Now() time.Time { return c.get().orMachine().now }

func (s setting) orMachine() setting {
	if s == (setting{}) {
		return setting{time.Now(), 1}
	}
	return s
}

// get returns the setting that brings the clock back to where it is.
func (c *Clock) get() setting {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.setting
	now.now = now.now.Add(time.Duration(float64(time.Since(c.since)) * now.speed))
	if now.now.After(latest) {
		now.now = latest
	}
	return now
}

func (c *Clock) put(s setting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setting, c.since = s, time.Now()
}

// Set moves the clock to a time from 1970 to 9999. From then on it is speed times as fast as time: at 0
// it stands still, and 1,000 is the most.
func (c *Clock) Set(now time.Time, speed float64) error {
	switch {
	case now.Before(earliest) || now.After(latest):
		return errors.New("want a time from 1970 to 9999")
	case speed < 0 || speed > 1000:
		return errors.New("want a speed from 0 to 1000")
	}
	c.put(setting{now, speed})
	return nil
}

// Advance moves the clock on, or back by a negative duration. Its speed stays.
func (c *Clock) Advance(by time.Duration) error {
	at := c.get().orMachine()
	return c.Set(at.now.Add(by), at.speed)
}
