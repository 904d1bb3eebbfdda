import { describeError } from "../../core/errors.ts";
import type { GrpcHealth } from "../grpc/grpc-health.ts";
import { endReply, type ServerReply, type ServerRequest } from "../node-server.ts";
import type { ReadinessAnswer } from "../readiness.ts";
import type { HealthSettings } from "./health-options.ts";
import type { InboundPart, InboundRequest } from "./inbound-request.ts";
import type { LoadPart } from "./load/load-part.ts";

/** Whether this process is ready, and if not, why. */
export type AskReadiness = () => Promise<ReadinessAnswer>;

/** Answers at one path. */
type Answer = (record: InboundRequest) => void;

/**
 * Answers the mesh's own paths: whether this process lives, whether it is ready, and its load. Liveness says only that the process answers: an orchestrator
 * restarts one that does not, which helps against nothing that it waits for. Readiness is false while the server starts and from the moment it leaves.
 */
export class OwnPaths implements InboundPart {
  readonly name = "own paths";
  readonly #answers = new Map<string, Answer>();
  readonly #grpc: GrpcHealth | undefined;

  constructor(
    health: HealthSettings | false,
    load: { readonly path: string | false; readonly part: LoadPart } | undefined,
    ask: AskReadiness,
    grpc?: GrpcHealth,
  ) {
    this.#grpc = grpc;
    if (health !== false) {
      const { livePath, readyPath } = health;
      if (livePath !== false) this.#answers.set(livePath, ({ reply }) => answerJson(reply, 200, { alive: true }));
      if (readyPath !== false) this.#answers.set(readyPath, ({ reply }) => void answerReadiness(reply, ask));
    }
    if (load !== undefined && load.path !== false) {
      this.#answers.set(load.path, ({ reply }) => {
        reply.setHeader("endpoint-load-metrics", load.part.text());
        answerJson(reply, 200, load.part.report());
      });
    }
  }

  /** Whether a request is for one of these paths. */
  has(request: ServerRequest): boolean {
    return this.#answers.has(pathOf(request)) || this.#grpc?.has(request) === true;
  }

  arrive(record: InboundRequest): boolean {
    if (this.#grpc?.has(record.request) === true) {
      record.isOwn = true;
      this.#grpc.answer(record.request, record.reply);
      return true;
    }
    const answer = this.#answers.get(pathOf(record.request));
    if (answer === undefined) return false;
    record.isOwn = true;
    const { method, reply } = record;
    if (method === "GET" || method === "HEAD") answer(record);
    else {
      reply.setHeader("allow", "GET, HEAD");
      answerJson(reply, 405, { error: `${method} is not answered here, but GET and HEAD` });
    }
    return true;
  }
}

async function answerReadiness(reply: ServerReply, ask: AskReadiness): Promise<void> {
  let ready = false;
  let reason: string | undefined;
  try {
    ({ ready, reason } = await ask());
  } catch (error) {
    reason = describeError(error);
  }
  answerJson(reply, ready ? 200 : 503, ready ? { ready } : { ready, reason });
}

/** Answers at once; a connection that has closed meanwhile is no error. */
function answerJson(reply: ServerReply, status: number, value: object): void {
  if (reply.headersSent || reply.destroyed) return;
  const text = `${JSON.stringify(value)}\n`;
  reply.statusCode = status;
  reply.setHeader("content-type", "application/json");
  reply.setHeader("content-length", Buffer.byteLength(text));
  reply.setHeader("cache-control", "no-store");
  // A body that was not read is dropped by Node.js, after which the connection is used again.
  endReply(reply, text);
}

/** The path that is asked for, without its query; of a target with scheme and host, as a proxy gets it, its path. */
function pathOf({ url = "/" }: ServerRequest): string {
  const query = url.indexOf("?");
  const whole = query === -1 ? url : url.slice(0, query);
  if (whole.startsWith("/")) return whole;
  return /^https?:\/\/[^/]*(\/.*)$/i.exec(whole)?.[1] ?? whole;
}
