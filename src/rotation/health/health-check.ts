import type { Clock, Random } from "../../core/clock.ts";
import { type Protocol, protocolTo } from "../../core/connection-options.ts";
import type { Upstream } from "../../core/upstream.ts";
import { GrpcWatches } from "./grpc-watches.ts";
import { connect, type OpenConnection } from "./health-check-connection.ts";
import { grpcHealthPath, grpcHealthRequest, grpcServingStatus } from "./health-check-grpc.ts";
import { type CheckRequest, exchange, negotiated } from "./health-check-http.ts";
import {
  type GrpcHealthCheck,
  grpcHealthCheck,
  type HealthCheckOptions,
  type HttpHealthCheck,
  httpHealthCheck,
} from "./health-check-options.ts";
import type { HealthCheckProbe } from "./health-check-probe.ts";

/** How the instances of a service are spoken to. */
export interface CheckedService {
  /** `undefined` leaves it to the endpoint of each. */
  readonly protocol: Protocol | undefined;
  readonly open: OpenConnection;
}

/** The streams by which instances tell of themselves, where `options` ask for them. */
export function grpcWatches(
  options: HealthCheckOptions,
  service: CheckedService,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): GrpcWatches | undefined {
  if (options.type !== "grpc" || options.watch !== true) return undefined;
  const { service: name } = grpcHealthCheck.settle(options);
  return new GrpcWatches({ service: name, open: service.open, check: grpcProbe(options, service), clock, random });
}

/** The check that `options` describe. */
export function healthCheckProbe(options: HealthCheckOptions, service: CheckedService, watches?: GrpcWatches): HealthCheckProbe {
  const probe = watches?.probe ?? probeOf(options, service);
  return async (upstream, cancellation) => {
    try {
      await probe(upstream, cancellation);
    } catch (error) {
      // Cancelling destroys the connection; the error that comes of that is not the reason.
      throw cancellation.cancelled ? cancellation.reason : error;
    }
  };
}

function probeOf(options: HealthCheckOptions, service: CheckedService): HealthCheckProbe {
  const { open } = service;
  switch (options.type) {
    case "tcp":
      return async (upstream, cancellation) => {
        const protocol = protocolTo(upstream.endpoint, service.protocol);
        const socket = await connect(open, upstream, protocol === "h1" ? [] : alpnOf(protocol), cancellation);
        socket.destroy();
      };
    case "http":
      return httpProbe(options, service);
    case "grpc":
      return grpcProbe(options, service);
  }
}

function httpProbe(options: HttpHealthCheck, { protocol: given, open }: CheckedService): HealthCheckProbe {
  const { path, expectedStatuses } = httpHealthCheck.settle(options);
  const isExpected = (status: number) =>
    expectedStatuses.some((each) => (typeof each === "number" ? each === status : each[0] <= status && status <= each[1]));
  return async (upstream, cancellation) => {
    const protocol = protocolTo(upstream.endpoint, given);
    const socket = await connect(open, upstream, alpnOf(protocol), cancellation);
    // Without TLS no protocol is negotiated: HTTP/2 is then spoken by prior knowledge.
    const speaks = protocol === "h2" ? "h2" : negotiated(socket);
    const { status } = await exchange(socket, { ...requestTo(upstream), method: "GET", path }, speaks);
    if (!isExpected(status)) throw new Error(`it answered ${status}`);
  };
}

function grpcProbe(options: GrpcHealthCheck, { open }: CheckedService): HealthCheckProbe {
  const { service } = grpcHealthCheck.settle(options);
  const body = grpcHealthRequest(service);
  const headers = { "user-agent": userAgent, "content-type": "application/grpc", te: "trailers" };
  return async (upstream, cancellation) => {
    const socket = await connect(open, upstream, ["h2"], cancellation);
    const request: CheckRequest = { ...requestTo(upstream), method: "POST", path: grpcHealthPath, headers, body };
    const answer = await exchange(socket, request, "h2");
    if (answer.status !== 200) throw new Error(`it answered ${answer.status}`);
    const code = answer.trailers["grpc-status"];
    if (code !== "0") throw new Error(`it answered grpc-status ${code ?? "none"}`);
    const serving = grpcServingStatus(answer.body);
    if (serving !== "SERVING") throw new Error(`it answered ${serving}`);
  };
}

const userAgent = "inmesh-health-check";

function requestTo({ authority }: Upstream): Pick<CheckRequest, "authority" | "headers"> {
  return { authority, headers: { "user-agent": userAgent } };
}

function alpnOf(protocol: Protocol): readonly string[] {
  return protocol === "h2" ? ["h2"] : protocol === "h1" ? ["http/1.1"] : ["h2", "http/1.1"];
}
