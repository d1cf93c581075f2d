package server_test

import (
	"maps"
	"net/http"
	"sync"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// Of requests that come at once and say the same, one is done and the others learn that it is. What other
// changes do to each other is tested in the store.
func TestSameRequestsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		stage := newStage(t, engine)
		for range 8 { // which comes first is chance
			for _, s := range []scenario{
				{request: "POST …/", body: parts(text("customer", "https://x/api/customers/{free.customer}/"), file("image", "a.png", "image/png", pngFile)), want: hasOne},
				{request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", ""), want: alreadyHeld},
				{request: "POST …/{tartu}/add_user/", body: role("HELPER", "jyrg", untilApril), want: alreadyHeld}, // a longer one
			} {
				r := stage.request(s)
				statuses := map[int]int{}
				var mu sync.Mutex
				var all sync.WaitGroup
				for range 6 {
					all.Go(func() {
						got, err := stage.try(r)
						mu.Lock()
						defer mu.Unlock()
						if statuses[got.Status]++; err != nil || got.Status != http.StatusCreated && got.Body != s.want+"\n" {
							t.Errorf("%s: %v %d %s", s.request, err, got.Status, got.Body)
						}
					})
				}
				all.Wait()
				if !maps.Equal(statuses, map[int]int{201: 1, 400: 5}) {
					t.Errorf("%s: statuses and how often: %v", s.request, statuses)
				}
			}
			stage.restore(t)
		}
	})
}
