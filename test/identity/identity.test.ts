import { X509Certificate } from "node:crypto";
import { inspect } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import type { Credentials } from "../../src/identity/credentials.ts";
import { Identity, type IdentityChange } from "../../src/identity/identity.ts";
import type { IdentityListener, IdentitySource } from "../../src/identity/identity-source.ts";
import { Authority, type Issued } from "../support/odd-authority.ts";

const id = "spiffe://example.org/svc/orders";
const hourMs = 3_600_000;

let authority: Authority;
let issued: Issued;

beforeAll(async () => {
  authority = await Authority.create();
  issued = await authority.issue({ uris: [id] });
});

function credentials(given: Partial<Credentials> = {}): Credentials {
  const trust = { authorities: [], bundles: new Map([["example.org", [authority.cert]]]) };
  return { certificate: issued.cert, key: issued.key, trust, ...given };
}

/** A keeper with a source that the test moves, and a clock that it sets. */
function keeper() {
  let listener: IdentityListener | undefined;
  const state = { wallMs: Date.now(), closed: 0 };
  const timers = new Set<() => void>();
  const clock: Clock = {
    now: () => 0,
    wallNow: () => state.wallMs,
    setTimer: (callback) => {
      timers.add(callback);
      return callback;
    },
    clearTimer: (timer) => timers.delete(timer as () => void),
  };
  const source: IdentitySource = {
    name: "test",
    watch(given) {
      listener = given;
      return { close: () => state.closed++ };
    },
  };
  const identity = new Identity(source, clock);
  const changes: IdentityChange[] = [];
  identity.follow((change) => changes.push(change));
  const fire = (): void => {
    for (const timer of [...timers]) {
      timers.delete(timer);
      timer();
    }
  };
  return { identity, changes, state, timers, fire, listener: listener as unknown as IdentityListener };
}

const context = { minVersion: "TLSv1.3" } as const;

describe("an identity", () => {
  test("is pending until credentials come, and refuses connections meanwhile", () => {
    const { identity, listener } = keeper();
    expect(identity.state).toBe("pending");
    expect(() => identity.secureContext(context)).toThrow(expect.objectContaining({ code: "ERR_MESH_IDENTITY" }));
    listener.update(credentials());
    expect(identity.state).toBe("ready");
    expect(identity.id?.text).toBe(id);
    expect(identity.secureContext(context)).toBe(identity.secureContext(context));
  });

  test("resolves those who wait when it comes, and rejects them at their limit", async () => {
    const { identity, listener, fire, timers } = keeper();
    const late = identity.ready(10);
    fire();
    await expect(late).rejects.toThrow("has no identity yet");
    const early = identity.ready(10);
    listener.update(credentials());
    await early;
    identity.close();
    expect(timers.size).toBe(0);
  });

  test("counts its versions, and tells of each", () => {
    const { identity, listener, changes } = keeper();
    listener.update(credentials());
    listener.update(credentials());
    expect(changes.map(({ state, version }) => `${state} ${version}`)).toEqual(["ready 1", "ready 2"]);
    expect(identity.version).toBe(2);
  });

  test("keeps the last good credentials when new ones are refused, and says so once", async () => {
    const { identity, listener, changes } = keeper();
    listener.update(credentials());
    const other = await authority.issue({ uris: [id] });
    listener.update(credentials({ key: other.key }));
    listener.update(credentials({ key: other.key }));
    expect(identity.state).toBe("ready");
    expect(identity.version).toBe(1);
    expect(changes.at(-1)?.error?.message).toBe('new credentials of "test" are refused: the key does not belong to the certificate');
    expect(changes).toHaveLength(2);
  });

  test("fails closed when its certificate ends, by a timer and where the clock was set", () => {
    const timed = keeper();
    timed.listener.update(credentials());
    timed.state.wallMs += 2 * hourMs;
    timed.fire();
    expect(timed.changes.at(-1)).toMatchObject({ state: "expired", version: 2 });
    const set = keeper();
    set.listener.update(credentials());
    set.state.wallMs += 2 * hourMs;
    expect(() => set.identity.secureContext(context)).toThrow("has expired, and no other has come");
    expect(set.changes.at(-1)?.state).toBe("expired");
  });

  test("comes back from its end with new credentials", async () => {
    const { identity, listener, state } = keeper();
    listener.update(credentials());
    state.wallMs += 2 * hourMs;
    expect(identity.state).toBe("expired");
    const next = await authority.issue({ uris: [id], notAfter: new Date(state.wallMs + hourMs) });
    listener.update(credentials({ certificate: next.cert, key: next.key }));
    expect(identity.state).toBe("ready");
  });

  test("fails closed when it is withdrawn, with the reason", () => {
    const { identity, listener } = keeper();
    listener.update(credentials());
    listener.withdraw(new Error("no identity is registered for this process"));
    expect(identity.state).toBe("withdrawn");
    expect(() => identity.current()).toThrow('was withdrawn from "test": no identity is registered for this process');
    listener.update(credentials());
    expect(identity.state).toBe("ready");
  });

  test("survives a source that fails, and a follower that throws", () => {
    const { identity, listener } = keeper();
    identity.follow(() => {
      throw new Error("a follower");
    });
    listener.update(credentials());
    listener.fail(new Error("not there"));
    expect(identity.state).toBe("ready");
    expect(identity.failure?.message).toBe("not there");
  });

  test("leaves no timer, watch or follower after its end", () => {
    const { identity, listener, timers, state, changes } = keeper();
    listener.update(credentials());
    identity.close();
    identity.close();
    listener.update(credentials());
    expect(timers.size).toBe(0);
    expect(state.closed).toBe(1);
    expect(changes).toHaveLength(1);
  });

  test("trusts each of several authorities in one text, also without a line between them", async () => {
    const other = await Authority.create("another");
    const { identity, listener } = keeper();
    listener.update(credentials({ trust: { authorities: [], bundles: new Map([["example.org", [other.cert.trim() + authority.cert]]]) } }));
    expect(identity.current().authorities).toHaveLength(2);
    expect(identity.verifyPeer(new X509Certificate(issued.cert), [], { ids: [id] }).id?.text).toBe(id);
  });

  test("shows its key to no inspection", () => {
    const { identity, listener } = keeper();
    listener.update(credentials());
    const shown = inspect(identity, { depth: 20, showHidden: true }) + inspect(identity.current(), { depth: 20, showHidden: true });
    expect(shown).not.toContain(issued.key.split("\n")[1]);
  });
});

describe("credentials are refused whole", () => {
  const refused: readonly [name: string, make: () => Promise<Partial<Credentials>>, message: string][] = [
    ["without a certificate", async () => ({ certificate: "" }), "the certificate is no PEM"],
    ["with half a certificate", async () => ({ certificate: issued.cert.slice(0, 300) }), "the certificate is no PEM"],
    ["with half a key", async () => ({ key: issued.key.slice(0, 60) }), "the key is no private key in PEM"],
    [
      "with the key of another certificate",
      async () => ({ key: (await authority.issue()).key }),
      "the key does not belong to the certificate",
    ],
    [
      "with an expired certificate",
      async () => of(await authority.issue({ uris: [id], notBefore: new Date(0), notAfter: new Date(1e12) })),
      "which is not now",
    ],
    ["with two URIs", async () => of(await authority.issue({ uris: [id, `${id}2`] })), "the certificate has 2 URIs"],
    ["with no authority", async () => ({ trust: { authorities: [], bundles: new Map() } }), "there is no authority"],
    [
      "with an authority that is none",
      async () => ({ trust: { authorities: ["x"], bundles: new Map() } }),
      "the authorities cannot be read",
    ],
    [
      "with revocations that cannot be read",
      async () => ({ trust: { ...credentials().trust, revocations: ["x"] } }),
      "the revocations cannot be read",
    ],
  ];

  test.each(refused)("%s", async (_name, make, message) => {
    const { identity, listener } = keeper();
    listener.update(credentials(await make()));
    expect(identity.state).toBe("pending");
    expect(identity.failure?.message).toContain(message);
    expect(inspect(identity.failure, { depth: 10 })).not.toContain(issued.key.slice(40, 80));
  });

  function of({ cert, key }: Issued): Partial<Credentials> {
    return { certificate: cert, key };
  }
});
