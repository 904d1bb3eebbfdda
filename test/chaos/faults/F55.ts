import { atLeast, exactly, failures } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { type H2Script, h2Codes } from "../rig/h2raw.ts";

const variants = ["refused", "refused-once", "cancel", "internal", "no-error", "no-error-in-body", "cancel-in-body"] as const;
/** What has been sent and may have been executed: a POST fails, saying so. */
const ambiguous: readonly string[] = ["cancel", "internal", "no-error"];
const inBody: readonly string[] = ["no-error-in-body", "cancel-in-body"];
const resets = { cancel: h2Codes.cancel, internal: h2Codes.internalError, "no-error": h2Codes.noError } as const;

/** Ends streams in every way there is, in turn. */
function resetting(): H2Script {
  const refused = new Map<string, string>();
  return (request) => {
    // What is sent again below the client comes back under the same id.
    const known = refused.get(request.id);
    const variant = known ?? (variants[request.number % variants.length] as (typeof variants)[number]);
    if (known === "refused-once") {
      request.answer();
    } else if (variant === "refused" || variant === "refused-once") {
      refused.set(request.id, variant);
      request.reset(h2Codes.refusedStream);
    } else if (inBody.includes(variant)) {
      void request.half().then(() => request.reset(variant === "cancel-in-body" ? h2Codes.cancel : h2Codes.noError));
    } else {
      request.begin();
      request.reset(resets[variant as keyof typeof resets]);
    }
    return variant;
  };
}

/** One of five HTTP/2 instances ends streams with every code, before and after its head. */
export const F55 = fault({
  id: "F55",
  name: "h2-reset-stream",
  minSeconds: 6,
  // REFUSED_STREAM is repeated by undici once, before the mesh repeats it elsewhere.
  extraAttempts: 0.3,
  async setup(world) {
    await world.shop(4, { protocol: "h2c" }, 0);
    const peer = await world.h2Peer((request) => {
      request.answer();
      return "good";
    });
    world.load = {
      picker: "roundRobin",
      mesh: { protocol: "h2", breaker: false, retry: { budget: { ratio: 1, minRetriesPerSecond: 1_000 } } },
    };
    return peer;
  },
  inject(peer) {
    peer.script = resetting();
  },
  expect(outcome, peer) {
    const of = (variant: string, method: string) =>
      outcome.ledger.filter((each) => each.method === method && peer.given.get(each.id) === variant);
    return [
      ...variants.map((variant) => atLeast(`POSTs reset (${variant})`, of(variant, "POST").length, 3)),
      exactly("refused POSTs that failed", failures({ ledger: [...of("refused", "POST"), ...of("refused-once", "POST")] }).length, 0),
      ...ambiguous.map((variant) =>
        exactly(
          `POSTs that did not fail with maybeExecuted (${variant})`,
          of(variant, "POST").filter((each) => each.maybeExecuted !== true).length,
          0,
        ),
      ),
      ...inBody.flatMap((variant) => [
        exactly(
          `bodies that did not fail (${variant})`,
          [...of(variant, "POST"), ...of(variant, "GET")].filter(({ error }) => error === undefined).length,
          0,
        ),
      ]),
      exactly(
        "GETs that failed before the body",
        failures(outcome, "GET").filter(({ id }) => !inBody.includes(peer.given.get(id) ?? "")).length,
        0,
      ),
      exactly("failed of the others", failures(outcome).filter(({ id }) => !peer.given.has(id)).length, 0),
    ];
  },
});
