import type { RecordedRequest, RequestRecord } from "./recorded-requests.ts";

/** Requests of the same callers with the same methods: one rule. */
interface Group {
  readonly callers: readonly (string | null)[];
  readonly methods: readonly string[];
  readonly paths: string[];
  count: number;
}

/** The policy, in YAML, that allows the requests of a record and no others: a rule for each set of callers and methods, with the paths. */
export function proposePolicy({ requests, leftOut }: RequestRecord): string {
  const lines = [
    `# Proposed from ${requests.reduce((sum, { count }) => sum + count, 0)} requests: it allows what was seen, and nothing else.`,
    "# A segment {id} stands for many values that were seen in its place. Tokens, headers and addresses were not looked at.",
  ];
  const { dropped, tooMany, unnameable } = leftOut;
  if (dropped > 0) lines.push(`# Not complete: ${dropped} records were dropped before they were read.`);
  if (tooMany > 0) lines.push(`# Not complete: ${tooMany} requests were beyond the bounds of the recorder.`);
  if (unnameable > 0) lines.push(`# Not complete: ${unnameable} requests have a caller, a method or a path that no rule can name.`);
  const groups = groupsOf(requests);
  if (groups.length === 0) return `${[...lines, "rules: []"].join("\n")}\n`;
  lines.push("rules:");
  const ids = new Set<string>();
  for (const { callers, methods, paths, count } of groups) {
    const isAnyone = callers.includes(null);
    lines.push(`  - id: ${idOf(callers, methods, ids)} # ${count} requests`, "    action: allow");
    if (isAnyone) lines.push("    # Callers without an identity sent these, so that every caller may.");
    else lines.push("    from:", "      identities:", ...callers.map((caller) => `        - ${quoted(caller ?? "")}`));
    lines.push("    to:", `      methods: [${methods.map((method) => quoted(method)).join(", ")}]`, "      paths:");
    lines.push(...paths.map((path) => `        - ${quoted(path)}`));
  }
  return `${lines.join("\n")}\n`;
}

function groupsOf(requests: readonly RecordedRequest[]): readonly Group[] {
  const byPath = new Map<string, Map<string, { callers: Set<string | null>; count: number }>>();
  for (const { identity, method, path, count } of requests) {
    const methods = byPath.get(path) ?? new Map<string, { callers: Set<string | null>; count: number }>();
    byPath.set(path, methods);
    const found = methods.get(method) ?? { callers: new Set(), count: 0 };
    methods.set(method, found);
    found.callers.add(identity);
    found.count += count;
  }
  const groups = new Map<string, Group>();
  for (const [path, methods] of byPath) {
    // Methods of the same callers are one rule.
    const byCallers = new Map<string, { callers: readonly (string | null)[]; methods: string[]; count: number }>();
    for (const [method, { callers, count }] of methods) {
      const list = callers.has(null) ? [null] : [...callers].sort();
      const same = byCallers.get(JSON.stringify(list)) ?? { callers: list, methods: [], count: 0 };
      byCallers.set(JSON.stringify(list), same);
      same.methods.push(method);
      same.count += count;
    }
    for (const { callers, methods: own, count } of byCallers.values()) {
      const key = JSON.stringify([callers, own.sort()]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { callers, methods: own, paths: [path], count });
      else {
        group.paths.push(path);
        group.count += count;
      }
    }
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

/** In double quotes, all but ASCII escaped: a terminal shows what is meant. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** `web-get`, `2-callers-get-post`, `anyone-get`, with a number where there is one already. */
function idOf(callers: readonly (string | null)[], methods: readonly string[], taken: Set<string>): string {
  const [first = null] = callers;
  const name = first === null ? "anyone" : callers.length > 1 ? `${callers.length}-callers` : (first.split("/").at(-1) ?? "");
  const words = `${name}-${methods.join("-").toLowerCase()}`.replaceAll(/[^\w.-]+/g, "-").slice(0, 80);
  for (let number = 1; ; number++) {
    const id = number === 1 ? words : `${words}-${number}`;
    if (taken.has(id)) continue;
    taken.add(id);
    return id;
  }
}
