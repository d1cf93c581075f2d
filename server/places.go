package server

import (
	"fmt"
	"sync"

	"github.com/google/uuid"
)

// places are those of large bodies in files. One user has a share of them at most, so that whoever
// sends slowly keeps others out of no more than that.
type places struct {
	total, share int

	mu    sync.Mutex
	taken int
	users map[uuid.UUID]int // how many each has taken; nobody is there with none
}

// newPlaces makes a number of places, of which each user may have a quarter, but at least one.
func newPlaces(total int) *places {
	return &places{total: total, share: max(1, total/4), users: map[uuid.UUID]int{}}
}

// take takes a place for a user's body, until it is given back: doing so again does nothing. Its
// error is errNoRoom.
func (p *places) take(user uuid.UUID) (giveBack func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.taken >= p.total:
		return nil, fmt.Errorf("%w: %d are here already", errNoRoom, p.taken)
	case p.users[user] >= p.share:
		return nil, fmt.Errorf("%w: %d of user %s are here already", errNoRoom, p.share, user)
	}
	p.taken++
	p.users[user]++
	return sync.OnceFunc(func() { p.giveBack(user) }), nil
}

func (p *places) giveBack(user uuid.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.users[user]--; p.users[user] == 0 {
		delete(p.users, user)
	}
}
