package main

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/bench/dataset"
)

// operation is something that is measured.
type operation struct {
	name string
	// request returns what a client sends as its nth request, from 0.
	request func(w workload, client, n int) request
	// pairs says that the second request of two reverts the first.
	pairs bool
	// grows says that its time may grow with the number of organisations.
	grows bool
}

// request is what a client sends, and the status of the answer that it expects.
type request struct {
	method, path, body string
	status             int
}

// workload is what requests are about.
type workload struct {
	dataset.Known
	rows  int    // organisations
	first int    // where each client begins in its share of them
	salt  string // makes the texts of changes new
}

const (
	organisations = "/api/call-managing-organisations/"
	pageSize      = 10
)

// The operations. Those that leave rows behind come last.
var operations = []operation{
	{name: "list", request: get(func(workload) string { return "" })},
	{name: "list_last", request: get(func(w workload) string {
		return fmt.Sprintf("?page=%d", w.pages())
	})},
	{name: "list_middle", grows: true, request: get(func(w workload) string {
		return fmt.Sprintf("?page=%d", (w.pages()+1)/2)
	})},
	{name: "list_keyword_rare", grows: true, request: get(func(w workload) string {
		return "?customer_keyword=" + w.Keyword.Rare
	})},
	{name: "list_keyword_common", grows: true, request: get(func(w workload) string {
		return "?customer_keyword=" + w.Keyword.Common
	})},
	{name: "list_count", request: func(workload, int, int) request {
		return request{"HEAD", organisations, "", 200}
	}},
	{name: "retrieve", request: func(w workload, client, n int) request {
		return request{"GET", organisations + w.organisation(client, n).String() + "/", "", 200}
	}},
	{name: "stats", request: get(func(w workload) string { return w.Organisation.String() + "/stats/" })},
	{name: "list_users", request: get(func(w workload) string { return w.Organisation.String() + "/list_users/" })},
	{name: "list_users_5000", request: get(func(w workload) string { return w.Crowded.String() + "/list_users/" })},
	// SQLite doesn't write a page that stays the same, so each description is new.
	{name: "partial_update", request: func(w workload, client, n int) request {
		body := fmt.Sprintf(`{"description":"Calls for proposals, %s %d %d"}`, w.salt, client, n)
		return request{"PATCH", organisations + w.organisation(client, n).String() + "/", body, 200}
	}},
	{name: "add_delete_user", pairs: true, request: func(w workload, client, n int) request {
		path := organisations + w.organisation(client, 0).String()
		body := fmt.Sprintf(`{"role":"CUSTOMER.CALL_ORGANIZER","user":"%s"}`, w.Newcomers[client])
		if n%2 == 0 {
			return request{"POST", path + "/add_user/", body, 201}
		}
		return request{"POST", path + "/delete_user/", body, 200}
	}},
}

// get is an operation that asks for the same path each time.
func get(path func(workload) string) func(workload, int, int) request {
	return func(w workload, _, _ int) request {
		return request{"GET", organisations + path(w), "", 200}
	}
}

func (w workload) pages() int { return (w.rows + pageSize - 1) / pageSize }

// stride is how far a client jumps in its share of the organisations. It is a prime larger than any
// share, so that a client visits its whole share before it starts again.
const stride = 104_729

// organisation is the one that the client's nth request is about. No two clients share one, so that
// they don't wait for each other's locks.
func (w workload) organisation(client, n int) uuid.UUID {
	share := (w.rows - client + clients - 1) / clients
	return dataset.Organisation(seed, client+(w.first+n)%share*stride%share*clients)
}
