import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { type ConsulOptions, consul } from "../../src/registries/consul.ts";

const make = (options: unknown) => () => consul(options as ConsulOptions);

describe("consul()", () => {
  it("looks at the local agent unless told otherwise", () => {
    expect(consul().name).toBe("consul at http://127.0.0.1:8500");
    expect(consul({ host: "consul.internal", port: 8501, secure: true }).name).toBe("consul at https://consul.internal:8501");
    expect(consul({ host: "::1" }).name).toBe("consul at http://[::1]:8500");
    expect(consul({ url: "https://proxy.internal/consul/" }).name).toBe("consul at https://proxy.internal/consul");
  });

  it("refuses an option nobody knows, naming it", () => {
    expect(make({ tokn: "x" })).toThrow(/unknown option "tokn"/);
    expect(make({ url: "https://h", tls: { rejectUnauthorized: false } })).toThrow(/unknown option "tls\.rejectUnauthorized"/);
    expect(make({ ["__proto__x"]: 1 })).toThrow(TypeError);
    expect(make(null)).toThrow(TypeError);
  });

  it("refuses a wrong value, naming the option and the value", () => {
    const wrong: [unknown, RegExp][] = [
      [{ url: "127.0.0.1:8500" }, /"url" .*127\.0\.0\.1:8500/],
      [{ url: "ftp://h" }, /"url" .*ftp:\/\/h/],
      [{ url: "http://h?dc=1" }, /"url" .*dc=1/],
      [{ url: "http://h", port: 8500 }, /"port" .*8500/],
      [{ host: "evil/x" }, /"host" .*evil\/x/],
      [{ host: "user@evil" }, /"host" .*user@evil/],
      [{ port: 0 }, /"port" .*got 0/],
      [{ secure: "yes" }, /"secure" .*'yes'/],
      [{ tags: "v2" }, /"tags" .*'v2'/],
      [{ tags: [1] }, /"tags"/],
      [{ datacenter: "" }, /"datacenter" .*''/],
      [{ onlyPassing: 1 }, /"onlyPassing" .*1/],
      [{ consistency: "strong" }, /"consistency" .*'strong'/],
      [{ waitMs: 0 }, /"waitMs" .*got 0/],
      [{ waitMs: "60s" }, /"waitMs" .*'60s'/],
      [{ maxStaleMs: Number.NaN }, /"maxStaleMs" .*NaN/],
      [{ deregisterAfterMs: 1_000 }, /"deregisterAfterMs" .*1000/],
      [{ onRenewalError: true }, /"onRenewalError" .*true/],
      [{ url: "http://h", tls: {} }, /"tls" needs an https url/],
      [{ url: "https://h", tls: { cert: "x" } }, /"tls\.cert" and "tls\.key"/],
    ];
    for (const [options, message] of wrong) expect(make(options), inspect(options)).toThrow(message);
  });

  it("shows no secret when it refuses one", () => {
    for (const options of [
      { url: "http://user:canary@h" },
      { token: "canary canary" },
      { token: { fiel: "canary" } },
      { url: "https://h", tls: "canary" },
    ]) {
      expect(make(options)).toThrow(TypeError);
      expect(make(options)).not.toThrow(/canary/);
    }
  });

  it("shows no secret when it is inspected", () => {
    const adapter = consul({ token: "canary", url: "https://h", tls: { cert: "canary", key: "canary" } });
    expect(inspect(adapter, { depth: 10, showHidden: true })).not.toContain("canary");
    expect(JSON.stringify(adapter)).not.toContain("canary");
  });
});
