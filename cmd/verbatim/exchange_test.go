package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	"verbatim/filter"
)

// exchanges is "exchange SOCKET N": it hands serve N exchanges as Envoy does,
// and returns when all of them are recorded.
func exchanges(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: exchange SOCKET N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	conn, err := grpc.NewClient("unix:"+ts.MkAbs(args[0]), grpc.WithTransportCredentials(insecure.NewCredentials()))
	ts.Check(err)
	defer conn.Close() //nolint:errcheck // what it carried is over
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range n {
		ts.Check(exchange(ctx, extprocv3.NewExternalProcessorClient(conn), i))
	}
}

func exchange(ctx context.Context, client extprocv3.ExternalProcessorClient, i int) error {
	stream, err := client.Process(ctx, grpc.WaitForReady(true))
	if err != nil {
		return fmt.Errorf("hand over exchange %d: %w", i, err)
	}
	body := fmt.Appendf(nil, `{"meter_id":"m%d","kwh":%d}`, i%3, i)
	for _, m := range []*extprocv3.ProcessingRequest{
		{Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: headers(
			":method", "POST", ":path", "/v1/readings", ":authority", "meters.example", ":scheme", "http")}},
		{Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: &extprocv3.HttpBody{Body: body, EndOfStream: true}}},
		{Request: &extprocv3.ProcessingRequest_ResponseHeaders{ResponseHeaders: headers(
			":status", "200", "content-length", strconv.Itoa(len(body)))}, Attributes: answered},
		{Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: &extprocv3.HttpBody{Body: body, EndOfStream: true}}},
	} {
		if err := stream.Send(m); err != nil {
			return fmt.Errorf("hand over exchange %d: %w", i, err)
		}
		reply, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("hand over exchange %d: %w", i, err)
		}
		if no := reply.GetImmediateResponse(); no != nil {
			return fmt.Errorf("exchange %d was refused: %s", i, no.GetBody())
		}
	}
	if err := stream.CloseSend(); err != nil {
		return fmt.Errorf("end exchange %d: %w", i, err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("end exchange %d: %w", i, err)
	}
	return nil
}

// answered says that the answer is the pipeline's own.
var answered = map[string]*structpb.Struct{filter.Name: {Fields: map[string]*structpb.Value{
	"response.code_details": structpb.NewStringValue("via_upstream"),
	"upstream.address":      structpb.NewStringValue("127.0.0.1:8080"),
}}}

func headers(pairs ...string) *extprocv3.HttpHeaders {
	m := &corev3.HeaderMap{}
	for i := 0; i < len(pairs); i += 2 {
		m.Headers = append(m.Headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return &extprocv3.HttpHeaders{Headers: m}
}
