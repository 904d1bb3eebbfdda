import { describe, expect, it } from "vitest";
import { CompiledPolicy } from "../../../src/authorization/compiled-policy.ts";
import { policyRecorder } from "../../../src/authorization/recording/policy-recorder.ts";
import { proposePolicy } from "../../../src/authorization/recording/propose-policy.ts";
import { readRecord } from "../../../src/authorization/recording/read-record.ts";
import type { DecidedRequest } from "../../../src/authorization/recording/recorded-requests.ts";
import { parsePolicy } from "../../../src/authorization/text/read-policy.ts";

const web = "spiffe://example.org/shop/web";
const job = "spiffe://example.org/shop/job";
const seen = (method: string, path: string, identity: string | undefined = web, more: Partial<DecidedRequest> = {}): DecidedRequest => ({
  decision: "dry-run-denied",
  ruleId: undefined,
  method,
  path,
  identity,
  ...more,
});

function proposedOf(requests: readonly DecidedRequest[]) {
  const recorder = policyRecorder();
  for (const each of requests) recorder.audit(each);
  const text = recorder.propose();
  const compiled = new CompiledPolicy(parsePolicy(text));
  const allows = (method: string, path: string, identity: string | undefined = web): boolean =>
    compiled.decide({ method, path, headerValues: () => [] }, { identity, address: undefined, tokens: [] }, 0).allowed;
  return { recorder, text, allows, paths: recorder.toJSON().requests.map(({ path }) => path) };
}

describe("a proposed policy", () => {
  it("allows what was seen, with a rule for each set of callers and methods, and nothing else", () => {
    const { text, allows } = proposedOf([
      seen("GET", "/orders"),
      seen("GET", "/orders"),
      seen("GET", "/orders/7"),
      seen("POST", "/orders", job),
      seen("GET", "/stock", job),
      seen("GET", "/stock"),
      seen("HEAD", "/stock"),
      seen("HEAD", "/stock", job),
      seen("GET", "/", undefined, { identity: undefined }),
    ]);
    expect(text).toBe(`# Proposed from 9 requests: it allows what was seen, and nothing else.
# A segment {id} stands for many values that were seen in its place. Tokens, headers and addresses were not looked at.
rules:
  - id: 2-callers-get-head # 4 requests
    action: allow
    from:
      identities:
        - "spiffe://example.org/shop/job"
        - "spiffe://example.org/shop/web"
    to:
      methods: ["GET", "HEAD"]
      paths:
        - "/stock"
  - id: job-post # 1 requests
    action: allow
    from:
      identities:
        - "spiffe://example.org/shop/job"
    to:
      methods: ["POST"]
      paths:
        - "/orders"
  - id: web-get # 3 requests
    action: allow
    from:
      identities:
        - "spiffe://example.org/shop/web"
    to:
      methods: ["GET"]
      paths:
        - "/orders"
        - "/orders/7"
  - id: anyone-get # 1 requests
    action: allow
    # Callers without an identity sent these, so that every caller may.
    to:
      methods: ["GET"]
      paths:
        - "/"
`);
    expect([allows("GET", "/orders"), allows("GET", "/orders/7"), allows("POST", "/orders", job)]).toEqual([true, true, true]);
    expect([allows("GET", "/orders/8"), allows("POST", "/orders"), allows("GET", "/orders", job), allows("GET", "/orders/")]).toEqual(
      new Array(4).fill(false),
    );
    expect([allows("GET", "/stock", `${web}/x`), allows("GET", "/", job), allows("GET", "/stock", "")]).toEqual([false, true, false]);
  });

  it("has one segment for many values with a digit, and the others as they are", () => {
    const ids = Array.from({ length: 11 }, (_, index) => seen("GET", `/orders/${index}/items/${index}a`));
    const few = Array.from({ length: 10 }, (_, index) => seen("GET", `/users/${index}`));
    const versions = Array.from({ length: 12 }, (_, index) => seen("GET", `/v${index}/state`));
    const { paths, allows } = proposedOf([...ids, seen("GET", "/orders/new"), seen("GET", "/orders/"), ...few, ...versions]);
    expect(paths.filter((path) => path.startsWith("/orders"))).toEqual(["/orders/", "/orders/new", "/orders/{id}/items/{id}"]);
    expect(paths.filter((path) => path.startsWith("/users"))).toHaveLength(10);
    expect(paths.filter((path) => path.startsWith("/v"))).toHaveLength(12);
    expect([
      allows("GET", "/orders/99/items/x"),
      allows("GET", "/orders/99"),
      allows("GET", "/orders/99/items"),
      allows("GET", "/users/99"),
    ]).toEqual([true, false, false, false]);
  });

  it("has one segment for very many names behind the first segment, never for the first", () => {
    const names = Array.from({ length: 101 }, (_, index) => index.toString(2).replaceAll("0", "a").replaceAll("1", "b"));
    expect(proposedOf(names.map((name) => seen("GET", `/users/${name}/mails`))).paths).toEqual(["/users/{id}/mails"]);
    expect(proposedOf(names.map((name) => seen("GET", `/${name}/mails`))).paths).toHaveLength(101);
  });

  it("keeps what is below values that become one, whatever comes first", () => {
    const early = [seen("GET", "/o/1/a"), seen("PUT", "/o/1/a/2"), seen("GET", "/o/2/b")];
    const many = Array.from({ length: 20 }, (_, index) => seen("DELETE", `/o/${index + 1}`));
    for (const order of [
      [...early, ...many],
      [...many, ...early],
    ]) {
      const { recorder } = proposedOf(order);
      expect(recorder.toJSON().requests.map(({ method, path, count }) => `${method} ${path} ${count}`)).toEqual([
        "DELETE /o/{id} 20",
        "GET /o/{id}/a 1",
        "PUT /o/{id}/a/2 1",
        "GET /o/{id}/b 1",
      ]);
    }
  });

  it("has nothing of requests that are denied, that a rule would deny in earnest, and that are refused", () => {
    const { text } = proposedOf([
      seen("GET", "/a", web, { decision: "denied" }),
      seen("GET", "/b", web, { decision: "dry-run-denied", ruleId: "no-b" }),
      seen("GET", "/c", web, { decision: "refused" }),
      seen("GET", "/d", web, { decision: "allowed", ruleId: "d" }),
    ]);
    expect(text.match(/"\/\w"/g)).toEqual(['"/d"']);
  });

  it("is not widened by texts that mean more than themselves in a rule: they are left out, and counted", () => {
    const { text, recorder } = proposedOf([
      seen("GET", "/a/{id}"),
      seen("GET", "/a/**"),
      seen("GET", "/a*"),
      seen("GET", `/${"a".repeat(2_047)}`),
      seen("get", "/a"),
      seen("GET", "/a", "*"),
      seen("GET", "/a", "spiffe://example.org/shop/"),
      seen("GET", "/a", "CN=*.example.org"),
      seen("GET", "/a", "CN=a\nrules:"),
      seen("GET", "/x/../a"),
      seen("GET", "/%61"),
    ]);
    expect(recorder.toJSON()).toEqual({ requests: [], leftOut: { dropped: 0, tooMany: 0, unnameable: 11 } });
    expect(text).toContain("# Not complete: 11 requests have a caller, a method or a path that no rule can name.\nrules: []\n");
  });

  it("is of names in any script, and of names that YAML would read otherwise", () => {
    const names = ["CN=Bäcker 🥐", "CN=a: b # c", 'CN="x"', "true", "1.0", "- a", "CN=\u202eevil"];
    const { text, allows } = proposedOf(names.map((name) => seen("GET", "/a", name)));
    for (const name of names) expect(allows("GET", "/a", name), name).toBe(true);
    expect(text).toMatch(/^[\n -~]*$/);
  });

  it("says which requests it does not know of", () => {
    const many = Array.from({ length: 1_001 }, (_, index) => seen("GET", "/a", `spiffe://example.org/c/${index}`));
    const { text } = proposedOf([...many, seen("GET", "/a", web, { dropped: 3, decision: "denied" })]);
    expect(text).toContain("# Not complete: 3 records were dropped before they were read.");
    expect(text).toContain("# Not complete: 1 requests were beyond the bounds of the recorder.");
  });

  it("takes bounded memory, whatever paths are sent", () => {
    const recorder = policyRecorder();
    for (let index = 0; index < 30_000; index++)
      recorder.audit(
        seen(
          "GET",
          `/${"ab".repeat(1 + (index % 7))}${String.fromCharCode(97 + (index % 26))}/x/${index.toString(2).replaceAll("0", "a").replaceAll("1", "b")}/${"c/".repeat(index % 9)}d`,
        ),
      );
    for (let index = 0; index < 30_000; index++) recorder.audit(seen(`M${index}`, `/m/${index}`));
    const { requests, leftOut } = recorder.toJSON();
    expect(requests.length).toBeLessThanOrEqual(20_000);
    expect(leftOut.tooMany).toBeGreaterThan(5_000);
  });

  it("is the same from the recorder, from its JSON, and from a log of audit records", () => {
    const requests = [seen("GET", "/orders/1"), seen("POST", "/orders", job), seen("GET", "/", undefined, { identity: undefined })];
    const { recorder, text } = proposedOf(requests);
    expect(proposePolicy(readRecord(JSON.stringify(recorder)))).toBe(text);
    expect(proposePolicy(readRecord(requests.map((each) => JSON.stringify({ timeMs: 1, ...each })).join("\n")))).toBe(text);
  });

  it.each([
    ["", "{}", "line 1 is no audit record"],
    ["", '{"decision":"allowed","method":"GET","path":"/"}\nx', "line 2 is no audit record"],
    ["", '{"decision":"yes","method":"GET","path":"/"}', "line 1 is no audit record"],
    ["", '{"requests":{}}', "requests must be a list"],
    ["a caller of any name", '{"requests":[{"identity":"*","method":"GET","path":"/","count":1}]}', "requests[0] needs"],
    ["all below a path", '{"requests":[{"identity":null,"method":"GET","path":"/a/**","count":1}]}', "requests[0] needs"],
    ["a part of a segment", '{"requests":[{"identity":null,"method":"GET","path":"/a{id}","count":1}]}', "requests[0] needs"],
  ])("is made of no other text: %s %s", (_name, text, message) => {
    expect(() => readRecord(text)).toThrow(message);
  });
});
