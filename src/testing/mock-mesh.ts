import { sleep, systemClock } from "../core/clock.ts";
import { compose, type Interceptor } from "../core/dispatch.ts";
import { checkKeys } from "../core/settings/checks.ts";
import { createMesh, type Mesh } from "../mesh/mesh.ts";
import type { MeshOptions } from "../mesh/mesh-options.ts";
import { type Answerer, answererOf, faultError, type MockAnswers, type MockCall, responseOf } from "./mock-answers.ts";
import { textOf } from "./request-text.ts";

/** The mesh that {@link mockMesh} makes. */
export interface MockMesh extends Mesh {
  /** Every call that reached the mock in place of the network, in order, calls of services without answers included. */
  readonly calls: readonly MockCall[];
  /** Replaces the answers of `service`. */
  answer(service: string, answers: MockAnswers): void;
}

/** Options of {@link mockMesh}; the same as those of `createMesh`. */
export type MockMeshOptions = Pick<MeshOptions, "timeoutMs" | "clock" | "interceptors" | "observers" | "services">;

/**
 * A mesh for unit tests that answers by itself and opens no socket. Everything above the network is real: targets, headers and bodies
 * are read and refused as in production, deadlines and aborts hold, errors are real `MeshError`s. An answer stands for a whole call:
 * nothing is retried and no breaker opens. A service without answers behaves as one without endpoints (`ERR_MESH_NO_ENDPOINTS`).
 * @throws TypeError or RangeError naming the service and the value of an invalid answer
 */
export function mockMesh(answers: Readonly<Record<string, MockAnswers>> = {}, options: MockMeshOptions = {}): MockMesh {
  checkKeys("mockMesh", options, ["timeoutMs", "clock", "interceptors", "observers", "services"]);
  const { clock = systemClock, interceptors = [], observers = [], ...rest } = options;
  const answering = new Map<string, Answerer>();
  const calls: MockCall[] = [];
  const put = (service: string, given: MockAnswers) => answering.set(service, answererOf(service, given));
  for (const [service, given] of Object.entries(answers)) put(service, given);

  // Innermost of the interceptors, where the network would begin.
  const network: Interceptor = (next) => async (request) => {
    const { service, method, path, headers } = request;
    const call = { service, method, path, headers, body: await textOf(request.body) };
    calls.push(call);
    const answerer = answering.get(service);
    if (answerer === undefined) return next(request);
    const answer = await answerer(call);
    const delayMs = typeof answer === "object" && "delayMs" in answer ? (answer.delayMs ?? 0) : 0;
    if (delayMs > 0) await sleep(clock, delayMs, request.cancellation);
    if (typeof answer === "object" && "fault" in answer) throw faultError(request, answer.fault);
    return responseOf(answer);
  };
  // The interceptors of a service run inside those of the mesh, and outside of the network as in a real one.
  const ofServices = new Map(Object.entries(rest.services ?? {}).map(([name, own]) => [name, own?.interceptors ?? []]));
  const ofService: Interceptor = (next) => (request) => compose(ofServices.get(request.service) ?? [], next)(request);
  const mesh = createMesh({
    ...rest,
    clock,
    observers,
    interceptors: [...interceptors, ofService, network],
    discovery: {
      name: "the mock",
      emptyPolicy: "trust",
      allowSocketPaths: true,
      async *watch(_service, signal) {
        yield [];
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      },
      services: async () => [...answering.keys()],
    },
  });
  return Object.assign(mesh, { calls, answer: put as MockMesh["answer"] });
}
