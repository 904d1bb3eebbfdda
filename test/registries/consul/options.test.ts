import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { type ConsulOptions, consul } from "../../../src/registries/consul.ts";

const make = (options: unknown) => () => consul(options as ConsulOptions);

describe("consul()", () => {
  it("looks at the local agent unless told otherwise", () => {
    expect(consul().name).toBe("consul at http://127.0.0.1:8500");
    expect(consul({ host: "consul.internal", port: 8501, secure: true }).name).toBe("consul at https://consul.internal:8501");
    expect(consul({ host: "::1" }).name).toBe("consul at http://[::1]:8500");
    expect(consul({ url: "https://proxy.internal/consul/" }).name).toBe("consul at https://proxy.internal/consul");
  });

  it("refuses an unknown option, naming it", () => {
    expect(make({ tokn: "x" })).toThrow(/^consul has no option "tokn"; it has url, /);
    expect(make({ url: "https://h", tls: { rejectUnauthorized: false } })).toThrow(
      /^consul: tls has no option "rejectUnauthorized"; it has ca, /,
    );
    expect(make({ ["__proto__x"]: 1 })).toThrow(TypeError);
    expect(make(null)).toThrow(TypeError);
  });

  it("refuses a wrong value, naming the option and the value", () => {
    const wrong: [unknown, RegExp][] = [
      [{ url: "127.0.0.1:8500" }, /^consul: url .*127\.0\.0\.1:8500/],
      [{ url: "ftp://h" }, /^consul: url .*ftp:\/\/h/],
      [{ url: "http://h?dc=1" }, /^consul: url must have neither a query nor a fragment$/],
      [{ url: "http://h", port: 8500 }, /^consul: port .*8500/],
      [{ host: "evil/x" }, /^consul: host .*evil\/x/],
      [{ host: "user@evil" }, /^consul: host .*user@evil/],
      [{ port: 0 }, /^consul: port .*not 0/],
      [{ port: 8500.5 }, /^consul: port .*not 8500\.5/],
      [{ secure: "yes" }, /^consul: secure .*"yes"/],
      [{ tags: "v2" }, /^consul: tags .*"v2"/],
      [{ tags: [1] }, /^consul: tags .*\[1\]/],
      [{ datacenter: "" }, /^consul: datacenter .*""/],
      [{ onlyPassing: 1 }, /^consul: onlyPassing .*1/],
      [{ consistency: "strong" }, /^consul: consistency .*"strong"/],
      [{ waitMs: 0 }, /^consul: waitMs .*not 0/],
      [{ waitMs: "60s" }, /^consul: waitMs .*"60s"/],
      [{ maxStaleMs: Number.NaN }, /^consul: maxStaleMs .*NaN/],
      [{ deregisterAfterMs: 1_000 }, /^consul: deregisterAfterMs .*1000/],
      [{ onRenewalError: true }, /^consul: onRenewalError .*true/],
      [{ url: "http://h", tls: {} }, /^consul: tls needs an https url/],
      [{ url: "https://h", tls: { cert: "x" } }, /^consul: tls\.cert and tls\.key/],
    ];
    for (const [options, message] of wrong) expect(make(options), inspect(options)).toThrow(message);
  });

  it("shows no secret when it refuses one", () => {
    for (const options of [
      { url: "http://user:canary@h" },
      { url: "user:canary@h" },
      { url: "http://user:canary@h:port" },
      { url: "//user:canary@h" },
      { url: "ftp://user:can/ary@h" },
      { token: "canary canary" },
      { token: { fiel: "canary" } },
      { url: "https://h", tls: "canary" },
    ]) {
      expect(make(options)).toThrow(TypeError);
      expect(make(options)).not.toThrow(/canary/);
    }
  });

  it("shows no secret when it is inspected", () => {
    const adapter = consul({ token: "k3pt-secret", url: "https://h", tls: { cert: "k3pt-secret", key: "k3pt-secret" } });
    expect(inspect(adapter, { depth: 10, showHidden: true })).not.toContain("k3pt-secret");
    expect(JSON.stringify(adapter)).not.toContain("k3pt-secret");
  });
});
