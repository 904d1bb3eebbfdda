import { type Peer, peerOf } from "../server/inbound/peer.ts";
import type { ServerRequest } from "../server/node-server.ts";
import { addForwarding } from "./forwarding.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { isTooLarge, judgeRequest, tooLarge } from "./judge-request.ts";
import { type Problem, problemOf } from "./problem.ts";
import type { ReplyHead } from "./reply-head.ts";
import { RequestHead } from "./request-head.ts";
import { idOf } from "./request-id.ts";
import type { Guard } from "./rules/guard.ts";

/** The answer to a request that is not passed on; `undefined` for one that is. */
export type Verdict = Problem | undefined;

const noOptions = Object.freeze({});

/** A request in front of a gateway, with all that decides whether it passes: the same for requests and for upgrades. */
export class Admission {
  readonly head: RequestHead;
  /** The id of the request; `undefined` where requests have none. */
  readonly id: { readonly name: string; readonly value: string } | undefined;
  /** Path and query; empty until they are judged. */
  path = "";
  /** The demands of the rule that the request comes to; `undefined` without any. */
  guard: Guard | undefined = undefined;
  readonly #parts: GatewayParts;
  readonly #request: ServerRequest;
  readonly #peer: Peer;

  constructor(parts: GatewayParts, request: ServerRequest) {
    const { kinds, trusted, settings } = parts;
    this.#parts = parts;
    this.#request = request;
    this.#peer = peerOf(request);
    const head = new RequestHead(request.rawHeaders, kinds, this.#peer.isIn(trusted));
    this.head = head;
    if (settings.requestId === false) return;
    const id = { name: settings.requestId, value: idOf(head.requestId) };
    head.headers[id.name] = id.value;
    this.id = id;
  }

  /** The most bytes of the body. */
  get maxBodyBytes(): number | false {
    return this.guard?.maxBodyBytes ?? this.#parts.settings.maxBodyBytes;
  }

  /** Judges the request, and adds what instances learn of its client. A promise only where a token has to be verified. */
  judge(): Verdict | Promise<Verdict> {
    const { settings, guards } = this.#parts;
    const { head } = this;
    const request = this.#request;
    const judged = judgeRequest(request, head, settings);
    if (typeof judged !== "string") return judged;
    this.path = judged;
    if (settings.host === "request" && head.host !== undefined) head.headers["host"] = head.host;
    if (guards === undefined) return this.#admit();
    const question = this.#preflight();
    try {
      const { headers } = head;
      const method = question ?? request.method ?? "GET";
      this.guard = guards.of({ service: settings.service ?? "", method, path: judged, headers, options: noOptions });
    } catch (error) {
      return problemOf(error);
    }
    if (question !== undefined && this.guard?.cors !== undefined)
      return { status: 204, headers: byName(this.guard.cors.preflightFor(head.headers["origin"])) };
    const verdict = this.guard?.judge(request, judged, this.#peer);
    if (verdict instanceof Promise) return verdict.then((late) => late ?? this.#admit());
    return verdict ?? this.#admit();
  }

  /** The headers that every answer to the request has by its rule, names and values in turn; `undefined` where the rule demands none. */
  get answerHeaders(): readonly string[] | undefined {
    return this.guard?.cors?.headersFor(this.head.headers["origin"]);
  }

  /** Adds to the head of an answer what each answer to the request has. */
  addTo(head: ReplyHead): void {
    const { id, answerHeaders } = this;
    if (id !== undefined) head.lines.push(id.name, id.value);
    if (answerHeaders !== undefined) head.allow(answerHeaders);
  }

  #admit(): Verdict {
    const { head } = this;
    if (isTooLarge(head, this.maxBodyBytes)) return tooLarge;
    addForwarding(head, this.#peer, this.#request.httpVersion, this.#parts.settings);
    if (head.takesTrailers) head.headers["te"] = "trailers";
    return undefined;
  }

  /** The method that a browser asks for before it sends a request (CORS); `undefined` for any other request. */
  #preflight(): string | undefined {
    const { headers } = this.head;
    return this.#request.method === "OPTIONS" && headers["origin"] !== undefined ? headers["access-control-request-method"] : undefined;
  }
}

/** Headers by name, of names and values in turn. */
export function byName(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < lines.length; index += 2) headers[lines[index] as string] = lines[index + 1] as string;
  return headers;
}
