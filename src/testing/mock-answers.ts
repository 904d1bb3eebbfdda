import { localResponse } from "../core/buffered-body.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { type AttemptRecord, MeshError, type MeshErrorCode } from "../core/errors.ts";
import type { RequestHeaders } from "../core/http/request-headers.ts";
import { checkChoice, checkKeys, checkNumber } from "../core/settings/checks.ts";

/** Failure of a call: no connection, the time limit of an attempt, or a connection that was lost after the request had been sent. */
export type MockFault = "connect" | "timeout" | "reset";

/** One answer of a {@link mockMesh}; a string is a 200 with that text. */
export type MockAnswer =
  | string
  | Response
  | {
      /** @default 200 */
      readonly status?: number;
      /** Sent as JSON. */
      readonly json?: unknown;
      readonly text?: string;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      /** Delay of the response in milliseconds, on the mesh's clock; the call's deadline and abort end it. @default 0 */
      readonly delayMs?: number;
    }
  | { readonly fault: MockFault; readonly delayMs?: number };

/** The same answer for every call, a queue of answers for one call each, or a function that makes the answer of each call. */
export type MockAnswers = MockAnswer | readonly MockAnswer[] | ((call: MockCall) => MockAnswer | Promise<MockAnswer>);

/** A request of the code under test. */
export interface MockCall {
  readonly service: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers: RequestHeaders;
  /** The body as text; empty when there is none. */
  readonly body: string;
}

/** Makes the answer of each call of a service. */
export type Answerer = (call: MockCall) => MockAnswer | Promise<MockAnswer>;

/**
 * The answerer of a service.
 * @throws TypeError or RangeError naming the service and the value of an invalid answer
 */
export function answererOf(service: string, given: MockAnswers): Answerer {
  if (typeof given === "function") {
    return async (call) => {
      const answer = await given(call);
      checkAnswer(service, answer);
      return answer;
    };
  }
  if (!isQueue(given)) {
    checkAnswer(service, given);
    return () => given;
  }
  for (const answer of given) checkAnswer(service, answer);
  const queue = [...given];
  return ({ method, path }) => {
    const answer = queue.shift();
    if (answer === undefined)
      throw new Error(`mockMesh: the ${given.length} answers of "${service}" are used up, and ${method} ${path} wants another`);
    return answer;
  };
}

function isQueue(given: MockAnswers): given is readonly MockAnswer[] {
  return Array.isArray(given);
}

function checkAnswer(service: string, answer: MockAnswer): void {
  const where = `mockMesh: ${service}`;
  if (typeof answer === "string" || answer instanceof Response) return;
  if (typeof answer !== "object" || answer === null) throw new TypeError(`${where}: ${String(answer)} is no answer`);
  checkNumber(`${where}: delayMs`, answer.delayMs, 0);
  if ("fault" in answer) {
    checkKeys(where, answer, ["fault", "delayMs"]);
    checkChoice(`${where}: fault`, answer.fault, Object.keys(faults));
    return;
  }
  checkKeys(where, answer, ["status", "json", "text", "headers", "delayMs"]);
  checkNumber(`${where}: status`, answer.status, 200, 599);
  if (answer.json !== undefined && answer.text !== undefined) throw new TypeError(`${where}: an answer has json or text, not both`);
}

/** The response of an answer. */
export async function responseOf(answer: Exclude<MockAnswer, { readonly fault: MockFault }>): Promise<MeshResponse> {
  if (typeof answer === "string") return responseOf({ text: answer });
  if (answer instanceof Response) {
    // A copy, so that the same one can answer again.
    const { status, statusText, headers } = answer;
    return { ...localResponse(status, await answer.clone().bytes()), statusText, headers: [...headers].flat() };
  }
  const { status = 200, json, text, headers = {} } = answer;
  const type = json !== undefined ? "application/json" : text !== undefined ? "text/plain;charset=UTF-8" : undefined;
  const pairs = Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((each) => [name.toLowerCase(), each]));
  const hasType = type === undefined || Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
  return {
    ...localResponse(status, json !== undefined ? JSON.stringify(json) : (text ?? "")),
    headers: hasType ? pairs : ["content-type", type, ...pairs],
  };
}

const faults: Readonly<
  Record<
    MockFault,
    { readonly code: MeshErrorCode; readonly record: Partial<AttemptRecord> & Pick<AttemptRecord, "phase" | "maybeExecuted"> }
  >
> = {
  connect: { code: "ERR_MESH_CONNECT", record: { phase: "connect", code: "ECONNREFUSED", maybeExecuted: false } },
  timeout: { code: "ERR_MESH_TIMEOUT", record: { phase: "headers", code: "ERR_MESH_TIMEOUT", maybeExecuted: true } },
  reset: { code: "ERR_MESH_PROTOCOL", record: { phase: "headers", code: "ECONNRESET", maybeExecuted: true } },
};

/** The error of a call with a fault; the request gets a record of the failed attempt. */
export function faultError({ service, attempts }: MeshRequest, fault: MockFault): MeshError {
  const { code, record } = faults[fault];
  attempts.push({ endpoint: "mock", address: "mock:0", ms: 0, ...record });
  return new MeshError(code, `the mock of "${service}" was told to fail: ${fault}`, { service, attempts: [...attempts] });
}
