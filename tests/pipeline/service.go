package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// maxBodyBytes bounds a request's body.
const maxBodyBytes = 16 << 20

// service answers over HTTP from a ledger.
type service struct {
	fault  fault
	ledger *ledger
}

func newService(f fault) *service { return &service{fault: f, ledger: newLedger(f)} }

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/readings", s.postReading)
	mux.HandleFunc("POST /v1/batches", s.postBatch)
	mux.HandleFunc("GET /v1/meters/{id}", s.getMeter)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	return withoutDate(mux)
}

// withoutDate leaves out the date header, which net/http would take from the
// real clock.
func withoutDate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		next.ServeHTTP(w, r)
	})
}

func (s *service) postReading(w http.ResponseWriter, r *http.Request) {
	var one reading
	if s.read(w, r, &one) {
		s.settle(w, r, []reading{one}, func(lines []settlement) any { return lines[0] })
	}
}

func (s *service) postBatch(w http.ResponseWriter, r *http.Request) {
	var batch struct {
		Readings []reading `json:"readings"`
	}
	if !s.read(w, r, &batch) {
		return
	}
	if len(batch.Readings) == 0 {
		refuse(w, http.StatusBadRequest, errors.New("readings are missing"))
		return
	}
	s.settle(w, r, batch.Readings, func(lines []settlement) any {
		return struct {
			Settlements []settlement `json:"settlements"`
		}{lines}
	})
}

func (s *service) getMeter(w http.ResponseWriter, r *http.Request) {
	line, ok := s.ledger.last(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound, fmt.Errorf("meter %q has no settlement", r.PathValue("id")))
		return
	}
	answer(w, http.StatusOK, line)
}

// settle checks all readings before it settles any.
func (s *service) settle(w http.ResponseWriter, r *http.Request, readings []reading, shape func([]settlement) any) {
	for i, one := range readings {
		if one.MeterID == "" {
			refuse(w, http.StatusBadRequest, fmt.Errorf("reading %d: meter_id is missing", i))
			return
		}
	}
	in, err := readInput(r.Header, s.fault)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	answer(w, http.StatusOK, shape(s.ledger.settle(in, readings)))
}

// read decodes the body and says whether it could; otherwise it has answered.
func (s *service) read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes)).Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("read body: %w", err))
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, status int, err error) {
	answer(w, status, map[string]string{"error": err.Error()})
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "encode answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	encoded = append(encoded, '\n')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(status)
	// A failed write means that the client is gone.
	_, _ = w.Write(encoded)
}
