package baseline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	path        = "/api/call-managing-organisations/"
	maxBody     = 1 << 20
	pageSize    = 10
	contentType = "application/json"
)

// TimeLimit is how long the work on a request may take.
const TimeLimit = 30 * time.Second

type server struct{ *Database }

// Handler serves the operations that are measured.
func Handler(d *Database) http.Handler {
	s := server{d}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path+"{$}", s.list)
	mux.HandleFunc("HEAD "+path+"{$}", s.count)
	mux.HandleFunc("GET "+path+"{uuid}/{$}", s.retrieve)
	mux.HandleFunc("PATCH "+path+"{uuid}/{$}", s.partialUpdate)
	mux.HandleFunc("GET "+path+"{uuid}/stats/{$}", s.stats)
	mux.HandleFunc("GET "+path+"{uuid}/list_users/{$}", s.listUsers)
	mux.HandleFunc("POST "+path+"{uuid}/add_user/{$}", s.addUser)
	mux.HandleFunc("POST "+path+"{uuid}/delete_user/{$}", s.deleteUser)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		ctx, cancel := context.WithTimeout(r.Context(), TimeLimit)
		defer cancel()
		mux.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Digest is what the database knows a token by.
func Digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func digest(r *http.Request) string {
	return Digest(strings.TrimPrefix(r.Header.Get("Authorization"), "Token "))
}

func (s server) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	number := pageNumber(query)
	list, total, err := s.List(r.Context(), digest(r), query.Get("customer_keyword"), number, pageSize)
	if err != nil {
		refuse(w, err)
		return
	}
	pageHeaders(w, r, query, number, total)
	write(w, http.StatusOK, appendOrganisations(newBody(len(list)), origin(r), list))
}

func (s server) count(w http.ResponseWriter, r *http.Request) {
	total, err := s.Count(r.Context(), digest(r))
	if err != nil {
		refuse(w, err)
		return
	}
	query := r.URL.Query()
	pageHeaders(w, r, query, pageNumber(query), total)
	w.WriteHeader(http.StatusOK)
}

func (s server) retrieve(w http.ResponseWriter, r *http.Request) {
	o, err := s.Retrieve(r.Context(), digest(r), r.PathValue("uuid"))
	if err != nil {
		refuse(w, err)
		return
	}
	write(w, http.StatusOK, appendOrganisation(newBody(1), origin(r), &o))
}

func (s server) stats(w http.ResponseWriter, r *http.Request) {
	stats, err := s.Stats(r.Context(), digest(r), r.PathValue("uuid"))
	if err != nil {
		refuse(w, err)
		return
	}
	write(w, http.StatusOK, appendStats(newBody(1), &stats))
}

func (s server) listUsers(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	number := pageNumber(query)
	list, total, err := s.ListUsers(r.Context(), digest(r), r.PathValue("uuid"), number, pageSize)
	if err != nil {
		refuse(w, err)
		return
	}
	pageHeaders(w, r, query, number, total)
	write(w, http.StatusOK, appendMembers(newBody(len(list)), origin(r), list))
}

func (s server) partialUpdate(w http.ResponseWriter, r *http.Request) {
	var body struct{ Description string }
	if err := read(w, r, &body); err != nil {
		refuse(w, err)
		return
	}
	o, err := s.PartialUpdate(r.Context(), digest(r), r.PathValue("uuid"), body.Description)
	if err != nil {
		refuse(w, err)
		return
	}
	write(w, http.StatusOK, appendOrganisation(newBody(1), origin(r), &o))
}

type roleBody struct{ Role, User string }

func (s server) addUser(w http.ResponseWriter, r *http.Request) {
	var body roleBody
	err := read(w, r, &body)
	if err == nil {
		err = s.AddUser(r.Context(), digest(r), r.PathValue("uuid"), body.Role, body.User)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	write(w, http.StatusCreated, []byte(`{"expiration_time":null}`)) // it is one for good
}

func (s server) deleteUser(w http.ResponseWriter, r *http.Request) {
	var body roleBody
	err := read(w, r, &body)
	if err == nil {
		err = s.DeleteUser(r.Context(), digest(r), r.PathValue("uuid"), body.Role, body.User)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func pageNumber(query url.Values) int {
	number, err := strconv.Atoi(query.Get("page"))
	if err != nil {
		return 1
	}
	return number
}

// pageHeaders writes how many rows there are and where the other pages are.
func pageHeaders(w http.ResponseWriter, r *http.Request, query url.Values, number, total int) {
	last := lastPage(total, pageSize)
	var link []byte
	add := func(number int, relation string) {
		query.Del("page")
		if number > 1 {
			query.Set("page", strconv.Itoa(number))
		}
		if len(link) > 0 {
			link = append(link, ", "...)
		}
		link = append(append(append(link, "<http://"...), r.Host...), r.URL.Path...)
		if len(query) > 0 {
			link = append(append(link, '?'), query.Encode()...)
		}
		link = append(append(append(link, `>; rel="`...), relation...), '"')
	}
	add(1, "first")
	if number > 1 {
		add(number-1, "prev")
	}
	if number < last {
		add(number+1, "next")
	}
	add(last, "last")
	w.Header().Set("Link", string(link))
	w.Header().Set("X-Result-Count", strconv.Itoa(total))
}

func read(w http.ResponseWriter, r *http.Request, into any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return &Refusal{http.StatusBadRequest, "JSON parse error"}
	}
	return nil
}

// newBody is room for so many objects.
func newBody(objects int) []byte { return make([]byte, 0, 64+768*objects) }

// write writes an answer, and the end of the line that encoding/json's encoder writes.
func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // nobody is told of a client that is gone
}

func refuse(w http.ResponseWriter, err error) {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		refusal = &Refusal{http.StatusInternalServerError, "Internal server error."}
	}
	write(w, refusal.Status, append(appendText([]byte(`{"detail":`), refusal.Detail), '}'))
}
