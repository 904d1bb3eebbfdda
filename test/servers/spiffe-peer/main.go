// The other ends for tests of SPIFFE and SDS, by the libraries that the rest of the world uses: go-spiffe and go-control-plane.
//
//	spiffe-peer serve PORT SOCKET ID    mutual TLS with the SVID of a Workload API, for callers with ID
//	spiffe-peer call SOCKET ID URL      one GET with that SVID, from a server with ID; prints the answer
//	spiffe-peer sds KIND PORT DIRECTORY secrets of Envoy's SDS by one KIND of stream, state or delta; reads the directory again on SIGHUP
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 4 {
		switch args[0] {
		case "serve":
			return serve(args[1], args[2], args[3])
		case "call":
			return call(args[1], args[2], args[3])
		case "sds":
			return serveSecrets(args[1], args[2], args[3])
		}
	}
	return fmt.Errorf("usage: spiffe-peer serve PORT SOCKET ID | call SOCKET ID URL | sds state|delta PORT DIRECTORY")
}
