import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { nginxCases } from "../../parity/nginx/cases/index.ts";
import { compareNginx } from "../../parity/nginx/compare-nginx.ts";
import type { Row } from "../../parity/parity-case.ts";
import { available } from "../servers/available.ts";

/** Those that wait for no time limit: `npm run parity -- nginx` runs all. */
const quick = nginxCases.filter(
  ({ instances, probes }) => !instances.includes("hang") && !probes.some(({ afterMs }) => afterMs !== undefined),
);

describe.skipIf(!available("nginx"))("a file on a real nginx and on inmesh", () => {
  let rows: ReadonlyMap<string, Row>;
  beforeAll(async () => {
    const first = await compareNginx(quick);
    // A busy machine makes requests late; the same case is run alone once more.
    const odd = first.filter(({ verdict }) => verdict === "different");
    const again = odd.length === 0 ? [] : await compareNginx(quick.filter(({ name }) => odd.some((each) => each.name === name)));
    rows = new Map([...first, ...again].map((row) => [row.name, row]));
  }, 180_000);

  it.each(quick.map(({ name, difference }) => [name, difference] as const))(
    "does the same, or what its row explains: %s",
    (name, difference) => {
      expect(rows.get(name)).toMatchObject(
        difference === undefined ? { verdict: "equal", note: "" } : { verdict: "explained", note: difference },
      );
    },
  );
});

describe("the table of parity with nginx", () => {
  it("has a row for each case, with its reason where the sides differ", () => {
    const table = readFileSync(join(import.meta.dirname, "../../docs/parity/nginx.md"), "utf8");
    const rows = [...table.matchAll(/^\| `([^`]+)` \| .* \| (.*) \|$/gm)].map(([, name, verdict]) => [name, verdict]);
    expect(rows).toEqual(nginxCases.map(({ name, difference = "equal" }) => [name, difference]));
  });

  it("has each case once", () => {
    expect(new Set(nginxCases.map(({ name }) => name)).size).toBe(nginxCases.length);
  });
});
