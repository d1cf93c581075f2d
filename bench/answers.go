package main

import (
	"fmt"
	"slices"
	"strings"
)

// answers returns what a server answers to an operation's requests, of which there are two where
// the second takes the first back.
func (o operation) answers(address string, w workload) ([]answer, error) {
	c, err := dial(address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	list := make([]answer, 1)
	if o.pairs() {
		list = make([]answer, 2)
	}
	for n := range list {
		r, want := o.requests(w, 0, n)
		status, err := c.do(r, &list[n])
		if err != nil {
			return nil, err
		}
		if status != want {
			return nil, fmt.Errorf("status %d, not %d: %s", status, want, list[n].Body)
		}
		list[n].Headers = withoutChanging(list[n].Headers)
	}
	return list, nil
}

// withoutChanging leaves out the headers that differ from one answer to the next, and the request's
// id, which the baseline has not.
func withoutChanging(headers []string) []string {
	headers = slices.DeleteFunc(headers, func(line string) bool {
		return strings.HasPrefix(line, "Date: ") || strings.HasPrefix(line, "X-Request-Id: ")
	})
	slices.Sort(headers)
	return headers
}

// compare says how the answers of the baseline differ from ours, if they do.
func compare(op operation, ours, baseline []answer) error {
	for i := range ours {
		a, b := ours[i], baseline[i]
		switch {
		case a.Status != b.Status:
			return fmt.Errorf("%s: the baseline's status is %d, ours %d", op.name, b.Status, a.Status)
		case !slices.Equal(a.Headers, b.Headers):
			return fmt.Errorf("%s: the headers differ:\nours     %q\nbaseline %q", op.name, a.Headers, b.Headers)
		case a.Body != b.Body:
			return fmt.Errorf("%s: the bodies differ:\nours     %s\nbaseline %s", op.name, a.Body, b.Body)
		}
	}
	return nil
}
