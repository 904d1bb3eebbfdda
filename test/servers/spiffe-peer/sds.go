package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	secretservice "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// One kind of stream is served, the other one answered UNIMPLEMENTED, as servers do that have only the one.
func serveSecrets(kind, port, directory string) error {
	refused := map[string]string{"state": "/DeltaSecrets", "delta": "/StreamSecrets"}[kind]
	if refused == "" {
		return fmt.Errorf("state or delta, not %q", kind)
	}
	secrets := cache.NewSnapshotCache(false, cache.IDHash{}, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	only := func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if strings.HasSuffix(info.FullMethod, refused) {
			return status.Error(codes.Unimplemented, "unknown method")
		}
		return handler(srv, stream)
	}
	grpcServer := grpc.NewServer(grpc.StreamInterceptor(only))
	secretservice.RegisterSecretDiscoveryServiceServer(grpcServer, server.NewServer(context.Background(), secrets, nil))
	if err := readSecrets(secrets, directory, 1); err != nil {
		return err
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	go func() {
		for version := 2; ; version++ {
			<-again
			if err := readSecrets(secrets, directory, version); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}()
	return grpcServer.Serve(listener)
}

// The files of a version: certificate.pem, key.pem and authority.pem.
func readSecrets(secrets cache.SnapshotCache, directory string, version int) error {
	var texts [3][]byte
	for at, name := range []string{"certificate.pem", "key.pem", "authority.pem"} {
		text, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			return err
		}
		texts[at] = text
	}
	own := &tls.Secret{Name: "default", Type: &tls.Secret_TlsCertificate{TlsCertificate: &tls.TlsCertificate{
		CertificateChain: inline(texts[0]), PrivateKey: inline(texts[1])}}}
	trusted := &tls.Secret{Name: "ROOTCA", Type: &tls.Secret_ValidationContext{ValidationContext: &tls.CertificateValidationContext{
		TrustedCa: inline(texts[2])}}}
	snapshot, err := cache.NewSnapshot(strconv.Itoa(version), map[resource.Type][]types.Resource{resource.SecretType: {own, trusted}})
	if err != nil {
		return err
	}
	return secrets.SetSnapshot(context.Background(), "inmesh", snapshot)
}

func inline(text []byte) *core.DataSource {
	return &core.DataSource{Specifier: &core.DataSource_InlineBytes{InlineBytes: text}}
}
