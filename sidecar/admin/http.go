package admin

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const index = `verbatim: the admin port

/livez     200 while the process serves
/readyz    200 while entries can be written, else 503 and why not
/metrics   for Prometheus

gRPC, on this port too:
verbatim.audit.v1.AuditService   replay, query, checkpoints, status, snapshots
grpc.health.v1.Health            as /readyz
grpc.reflection.v1               what there is to call
`

// handler sends gRPC to its server, and the rest to plain HTTP.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, index) })
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.options.Registry, promhttp.HandlerOpts{Registry: s.options.Registry}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			s.grpc.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := s.options.Log.Writable(); err != nil {
		answer(w, http.StatusServiceUnavailable, fmt.Sprintln(err))
		return
	}
	answer(w, http.StatusOK, "ok\n")
}

// answer writes a text; a client that is gone needs none.
func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprint(w, text)
}
