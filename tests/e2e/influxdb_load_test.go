package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Shape of the load on InfluxDB.
const (
	influxConnections = 32
	influxMeters      = 20
	influxPerQuery    = 10 // writes between two queries
)

// influxQueries are what is asked of one meter. Those before influxBlind have another answer when any point of the
// meter's has another value.
var influxQueries = []string{
	`SELECT sum(kwh), mean(kwh), stddev(kwh), max(kwh) FROM reading WHERE meter='%s'`,
	`SELECT sum(kwh) FROM reading WHERE meter='%s' GROUP BY phase`,
	`SELECT * FROM reading WHERE meter='%s' ORDER BY time DESC`,
	`SELECT sum(kwh), sum(pulses) FROM reading WHERE meter='%s' AND time >= 1700000000s AND time < 1800000000s GROUP BY time(1000d), *`,
	`SELECT cumulative_sum(kwh) FROM reading WHERE meter='%s'`,
	`SELECT count(kwh), last(state) FROM reading WHERE meter='%s'`,
	`SHOW TAG VALUES FROM reading WITH KEY = phase WHERE meter='%s'`,
}

const influxBlind = 5

// influxForms are how an answer is asked for.
var influxForms = []string{"", "&epoch=ms", "&chunked=true&chunk_size=3", "&pretty=true"}

// influxLoad sends so many writes, and a query after each tenth, over all connections at once. Each must succeed.
func influxLoad(ctx context.Context, addr string, writes int) error {
	if err := influxSend(ctx, http.DefaultClient, influxRequest(addr, "POST", "/query?q="+url.QueryEscape("CREATE DATABASE load"), "")); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range influxConnections {
		group.Go(func() error {
			client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1, DisableCompression: true}}
			defer client.CloseIdleConnections()
			for i := int(next.Add(1)) - 1; i < writes; i = int(next.Add(1)) - 1 {
				if err := influxSend(ctx, client, influxWrite(addr, i)); err != nil {
					return err
				}
				if i%influxPerQuery == influxPerQuery-1 {
					if err := influxSend(ctx, client, influxQuery(addr, i/influxPerQuery)); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// influxMeter is the meter of write i; influxPerQuery and influxMeters share divisors, so the query takes another step.
func influxMeter(i int) string { return fmt.Sprintf("m%02d", i%influxMeters) }

// influxWrite is write i: two points of one meter, each with a time of its own.
func influxWrite(addr string, i int) *http.Request {
	var lines strings.Builder
	for phase := range 2 {
		fmt.Fprintf(&lines, "reading,meter=%s,phase=l%d kwh=%d.%03d,pulses=%di,state=\"s %d\",ok=%t %d\n",
			influxMeter(i), phase+1, 1+i%7, i*7919%1000, i*31%997, i%5, i%3 == 0, 1_700_000_000_000+int64(2*i+phase)*1000)
	}
	r := influxRequest(addr, "POST", "/write?db=load&precision=ms", lines.String())
	if i%4 == 1 {
		r.ContentLength = -1 // chunked
	}
	return r
}

// influxQuery is query j.
func influxQuery(addr string, j int) *http.Request {
	q := fmt.Sprintf(influxQueries[j%len(influxQueries)], influxMeter(j*3+j/influxMeters))
	form := influxForms[j%len(influxForms)]
	if j%5 == 2 {
		return influxRequest(addr, "POST", "/query?db=load"+form, "q="+url.QueryEscape(q))
	}
	r := influxRequest(addr, "GET", "/query?db=load"+form+"&q="+url.QueryEscape(q), "")
	if j%3 == 1 {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	return r
}

func influxRequest(addr, method, path, body string) *http.Request {
	r, err := http.NewRequest(method, "http://"+addr+path, bytes.NewReader([]byte(body)))
	if err != nil {
		panic(err) // the address is one that something listens on
	}
	if strings.HasPrefix(body, "q=") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.GetBody = nil // sent once
	return r
}

// influxSend wants success, which InfluxDB also says of a query that fails.
func influxSend(ctx context.Context, client *http.Client, r *http.Request) (err error) {
	answer, err := client.Do(r.WithContext(ctx))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 || bytes.Contains(body, []byte(`"error"`)) {
		return fmt.Errorf("%s %s: status %d, %.300s", r.Method, r.URL, answer.StatusCode, body)
	}
	return nil
}
