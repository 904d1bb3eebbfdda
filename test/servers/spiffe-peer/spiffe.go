package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

func sourceOf(ctx context.Context, socket string) (*workloadapi.X509Source, error) {
	return workloadapi.NewX509Source(ctx, workloadapi.WithClientOptions(workloadapi.WithAddr(socket)))
}

func serve(port, socket, id string) error {
	ctx := context.Background()
	source, err := sourceOf(ctx, socket)
	if err != nil {
		return err
	}
	defer source.Close()
	allowed, err := spiffeid.FromString(id)
	if err != nil {
		return err
	}
	config := tlsconfig.MTLSServerConfig(source, source, tlsconfig.AuthorizeID(allowed))
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := peerOf(r.TLS)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "%s %s HTTP/%d by %s", r.Method, r.URL.Path, r.ProtoMajor, peer)
	})
	server := &http.Server{Handler: handler, TLSConfig: config}
	return server.ServeTLS(listener, "", "")
}

func peerOf(state *tls.ConnectionState) (spiffeid.ID, error) {
	return x509svid.IDFromCert(state.PeerCertificates[0])
}

func call(socket, id, url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	source, err := sourceOf(ctx, socket)
	if err != nil {
		return err
	}
	defer source.Close()
	expected, err := spiffeid.FromString(id)
	if err != nil {
		return err
	}
	config := tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(expected))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	fmt.Printf("%d %s", response.StatusCode, body)
	return nil
}
