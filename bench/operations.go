package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/bench/dataset"
)

// operation is something that is measured.
type operation struct {
	name string
	// must is the least ratio to the baseline at the smallest number of rows, and aim what it is
	// meant to become.
	must, aim ratios
	// changes says that it leaves rows behind.
	changes bool
	// requests returns what a client sends in turn: the nth request of the client, from 0, and
	// the status of its answer. Two clients never wait for each other's row.
	requests func(w workload, client, n int) (request, int)
}

// ratios are of requests a second and of processor time alike, on SQLite and on Postgres.
type ratios [2]float64

func (r ratios) on(engine string) float64 {
	if engine == postgres {
		return r[1]
	}
	return r[0]
}

// workload is the data that requests are about.
type workload struct {
	Known dataset.Known
	Rows  int    // organisations
	First int    // where in its share each client begins, or a cache would hold what the last ones read
	Salt  string // is in no other workload, so that changed texts are new each time
}

const (
	organisations = "/api/call-managing-organisations/"
	pageSize      = 10
	grantedRole   = "CUSTOMER.CALL_ORGANIZER"

	pairsOperation = "add_delete_user"
)

var operations = []operation{
	{name: "list", must: ratios{0.65, 0.70}, aim: ratios{0.85, 0.90}, requests: get(func(workload) string { return organisations })},
	{name: "list_last", must: ratios{0.65, 0.70}, aim: ratios{0.85, 0.90}, requests: get(func(w workload) string {
		return organisations + "?page=" + strconv.Itoa(w.lastPage())
	})},
	{name: "list_middle", must: ratios{0.65, 0.70}, aim: ratios{0.85, 0.90}, requests: get(func(w workload) string {
		return organisations + "?page=" + strconv.Itoa(w.middlePage())
	})},
	{name: "list_keyword_rare", must: ratios{0.70, 0.70}, aim: ratios{0.90, 0.90}, requests: get(func(w workload) string {
		return organisations + "?customer_keyword=" + w.Known.Keyword.Rare
	})},
	{name: "list_keyword_common", must: ratios{0.70, 0.70}, aim: ratios{0.90, 0.90}, requests: get(func(w workload) string {
		return organisations + "?customer_keyword=" + w.Known.Keyword.Common
	})},
	{name: "list_count", must: ratios{0.60, 0.60}, aim: ratios{0.85, 0.85}, requests: func(w workload, _, _ int) (request, int) {
		return newRequest("HEAD", organisations, w.Known.StaffToken, ""), 200
	}},
	{name: "retrieve", must: ratios{0.60, 0.60}, aim: ratios{0.85, 0.90}, requests: func(w workload, client, n int) (request, int) {
		return newRequest("GET", organisations+w.organisation(client, n).String()+"/", w.Known.StaffToken, ""), 200
	}},
	{name: "stats", must: ratios{0.75, 0.75}, aim: ratios{0.95, 0.95}, requests: get(func(w workload) string {
		return organisations + w.Known.Organisation.String() + "/stats/"
	})},
	{name: "list_users", must: ratios{0.65, 0.70}, aim: ratios{0.85, 0.90}, requests: get(func(w workload) string {
		return organisations + w.Known.Organisation.String() + "/list_users/"
	})},
	{name: "list_users_5000", must: ratios{0.65, 0.70}, aim: ratios{0.85, 0.90}, requests: get(func(w workload) string {
		return organisations + w.Known.Crowded.String() + "/list_users/"
	})},
	{name: "partial_update", must: ratios{0.70, 0.70}, aim: ratios{0.90, 0.95}, changes: true, requests: func(w workload, client, n int) (request, int) {
		body := `{"description":"` + w.description(client, n) + `"}`
		return newRequest("PATCH", organisations+w.organisation(client, n).String()+"/", w.Known.StaffToken, body), 200
	}},
	{name: pairsOperation, must: ratios{0.70, 0.70}, aim: ratios{0.90, 0.95}, changes: true, requests: func(w workload, client, n int) (request, int) {
		action, status := "/add_user/", 201
		if n%2 == 1 {
			action, status = "/delete_user/", 200
		}
		organisation, newcomer := w.newcomer(client)
		body := `{"role":"` + grantedRole + `","user":"` + newcomer.String() + `"}`
		return newRequest("POST", organisations+organisation.String()+action, w.Known.StaffToken, body), status
	}},
}

// get is a client that asks for the same again and again.
func get(target func(workload) string) func(workload, int, int) (request, int) {
	return func(w workload, _, _ int) (request, int) {
		return newRequest("GET", target(w), w.Known.StaffToken, ""), 200
	}
}

// pairs says that a client's requests come in twos, of which the second takes the first back.
func (o operation) pairs() bool { return o.name == pairsOperation }

func (w workload) lastPage() int   { return (w.Rows + pageSize - 1) / pageSize }
func (w workload) middlePage() int { return (w.lastPage() + 1) / 2 }

// stride is how far a client jumps in its share from one organisation to the next. It is a prime, and
// larger than any share of up to 1.6 million organisations, so that a client comes by all of its share
// before it begins anew.
const stride = 104_729

// organisation is what the client's nth request is about: each client has its own share of them all.
func (w workload) organisation(client, n int) uuid.UUID {
	share := (w.Rows - client + clients - 1) / clients
	return dataset.Organisation(seed, client+(w.First+n)%share*stride%share*clients)
}

// newcomer is a user without a role, and an organisation, of a client's own.
func (w workload) newcomer(client int) (organisation, user uuid.UUID) {
	return w.organisation(client, 0), w.Known.Newcomers[client]
}

func (w workload) description(client, n int) string {
	return fmt.Sprintf("Calls for proposals, %s %d %d", w.Salt, client, n)
}

func operationNames() string {
	names := make([]string, len(operations))
	for i, o := range operations {
		names[i] = o.name
	}
	return strings.Join(names, ", ")
}

func operationByName(name string) (operation, error) {
	i := slices.IndexFunc(operations, func(o operation) bool { return o.name == name })
	if i < 0 {
		return operation{}, fmt.Errorf("no operation %q; there are: %s", name, operationNames())
	}
	return operations[i], nil
}
