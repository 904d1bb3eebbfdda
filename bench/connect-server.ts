// A process: a server of gRPC on HTTP/2 without TLS, which answers at once.
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Prices } from "../examples/connect/prices_pb.ts";
import { answerParent } from "./children.ts";

const server = createServer(
  connectNodeAdapter({ routes: (router) => router.service(Prices, { get: ({ item }) => ({ item, cents: 499 }) }) }),
);
server.listen(0, "127.0.0.1", () => answerParent((server.address() as AddressInfo).port, () => 0));
