import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { parse } from "yaml";
import { fromText } from "../../src/config/config.ts";
import { headerOf } from "../../src/core/http/response-headers.ts";
import { appliedTo } from "../../src/routing/applied-decision.ts";
import type { Route } from "../../src/routing/route.ts";
import { compileRoutes } from "../../src/routing/route-table.ts";
import { testRequest } from "../../src/testing/request.ts";

/** A row of a table: its cells. */
export type Row = readonly string[];

/** The rows of the tables below a heading of a guide, without their heads. */
export function rowsBelow(file: string, heading: string): readonly Row[] {
  const page = readFileSync(file, "utf8");
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${file} has no heading "${heading}"`);
  const lines = section.split("\n");
  return lines
    .filter((line, index) => line.startsWith("| ") && !/^\|-/.test(lines[index + 1] ?? ""))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

/** The pieces of code of a cell. */
export function codeIn(cell = ""): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replaceAll("\\|", "|"));
}

/** The options that a text of YAML makes, in a file of configuration. */
export async function optionsOf(yaml: string) {
  return fromText(`discovery: { static: { reviews: [{ host: 127.0.0.1, port: 9 }] } }\n${yaml}\n`, "guide.yaml");
}

/** The fate of a call by rules: `GET reviews/x {x-user: a}` → `reviews/y [version=v1]`. */
export async function fateOf(rules: readonly string[], call: string): Promise<string> {
  const { routes } = await optionsOf(`routes:${rules.map((rule) => `\n  - ${rule}`).join("")}`);
  const [, method = "GET", service = "", path = "", headers = "{}"] = /^(?:([A-Z]+) )?([\w.-]+)(\/\S*)(?: (\{.*\}))?$/.exec(call) ?? [];
  const named = parse(headers) as Record<string, unknown>;
  const request = testRequest({
    service,
    method,
    path,
    headers: Object.fromEntries(Object.entries(named).map(([name, value]) => [name, String(value)])),
  });
  const decision = compileRoutes(routes as readonly Route[]).decide(request, () => 0.5);
  if (decision === undefined) return `${service}${path}`;
  const sent = appliedTo(request, decision);
  if (decision.answer !== undefined) {
    const answer = decision.answer(sent);
    const location = headerOf(answer, "location");
    return `${answer.status}${location === undefined ? "" : ` ${location}`}`;
  }
  const { subset, options } = decision.target.routed;
  const changed = Object.entries(sent.headers).filter(([name, value]) => request.headers[name] !== value);
  return [
    `${sent.service}${sent.path}`,
    ...(subset === undefined ? [] : [`[${subset.name}]`]),
    ...changed.map(([name, value]) => `${name}: ${value}`),
    ...Object.entries(options ?? {}).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
  ].join(" ");
}

/** Expects of a row of rules that each of its calls has the fate that it says. */
export async function expectDecided(row: Row): Promise<void> {
  const rules = codeIn(row[1]).filter((code) => code.startsWith("{"));
  expect([row.length, rules.length > 0]).toEqual([3, true]);
  for (const each of codeIn(row[2])) {
    const [call = "", fate] = each.split(" → ");
    expect(`${call} → ${await fateOf(rules, call)}`).toBe(`${call} → ${fate}`);
  }
}
