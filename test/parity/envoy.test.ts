import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { envoyCases } from "../../parity/envoy/cases/index.ts";
import { compareEnvoy } from "../../parity/envoy/compare-envoy.ts";
import type { Row } from "../../parity/parity-case.ts";
import { available } from "../servers/available.ts";

/** Those that take little time: no shares by chance, which need many requests, and no waits. The rest is for `npm run parity -- envoy`. */
const quick = envoyCases.filter(
  ({ name, compare, probes }) =>
    compare !== "shares" && !/^(?:time|eject|check)\//.test(name) && probes.every(({ times = 1 }) => times <= 60),
);

describe.skipIf(!available("envoy"))("a file on a real Envoy and on inmesh", () => {
  let rows: ReadonlyMap<string, Row>;
  beforeAll(async () => {
    const first = await compareEnvoy(quick);
    // A busy machine makes requests late; the same case is run alone once more.
    const odd = first.filter(({ verdict }) => verdict === "different");
    const again = odd.length === 0 ? [] : await compareEnvoy(quick.filter(({ name }) => odd.some((each) => each.name === name)));
    rows = new Map([...first, ...again].map((row) => [row.name, row]));
  }, 300_000);

  it.each(quick.map(({ name, difference }) => [name, difference] as const))(
    "does the same, or what its row explains: %s",
    (name, difference) => {
      expect(rows.get(name)).toMatchObject(
        difference === undefined ? { verdict: "equal", note: "" } : { verdict: "explained", note: difference },
      );
    },
  );
});

describe("the table of parity with Envoy", () => {
  it("has a row for each case, with its reason where the sides differ", () => {
    const table = readFileSync(join(import.meta.dirname, "../../docs/parity/envoy.md"), "utf8");
    const rows = [...table.matchAll(/^\| `([^`]+)` \| .* \| (.*) \|$/gm)].map(([, name, verdict]) => [name, verdict]);
    expect(rows).toEqual(envoyCases.map(({ name, difference = "equal" }) => [name, difference]));
  });

  it("has each case once", () => {
    expect(new Set(envoyCases.map(({ name }) => name)).size).toBe(envoyCases.length);
  });
});
