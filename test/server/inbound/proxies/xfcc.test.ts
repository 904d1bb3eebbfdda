import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lastXfccElement } from "../../../../src/server/inbound/proxies/xfcc.ts";

describe("the header of a proxy that hands on a client certificate", () => {
  test("is read by its last element, with quotes and escapes", () => {
    const header = String.raw`By=spiffe://a/b;URI=spiffe://td/admin,By=spiffe://a/p;Hash=ab;Subject="O=x\, y\"z,CN=\"q";URI=spiffe://td/web;DNS=a;DNS=b`;
    expect(lastXfccElement(header)).toEqual([
      ["by", "spiffe://a/p"],
      ["hash", "ab"],
      ["subject", String.raw`O=x\, y"z,CN="q`],
      ["uri", "spiffe://td/web"],
      ["dns", "a"],
      ["dns", "b"],
    ]);
    expect(lastXfccElement('Subject="";URI=')).toEqual([
      ["subject", ""],
      ["uri", ""],
    ]);
    expect(lastXfccElement("URI=a, URI=b")).toEqual([["uri", "b"]]);
  });

  test("is refused whole where an element is left open to swallow the next", () => {
    for (const sent of [
      'Subject="',
      'Hash="a',
      String.raw`Subject="a\ `.trim(),
      'URI="spiffe://td/admin',
      'x="a\\"',
      "URI=a;",
      "URI",
      "",
      ";",
      "=",
      "URI=a=b",
      'URI=a"b"',
    ])
      expect(lastXfccElement(`${sent},By=spiffe://p;Hash=1;Subject="CN=web";URI=spiffe://td/web`), sent).toBeUndefined();
    for (const sent of [
      "URI=a,",
      ",URI=a",
      "URI=a;",
      'URI="a"b',
      'URI="a',
      'URI="a\\"',
      " URI=a",
      "URI =a",
      "U\u0000I=a",
      `URI=${"a".repeat(16_384)}`,
    ])
      expect(lastXfccElement(sent), sent).toBeUndefined();
  });

  test("never throws, and never gives another element than the one that was appended, whatever stood before", () => {
    const own = [
      ["by", "spiffe://td/proxy"],
      ["hash", "00ff"],
      ["subject", 'CN="web",O=a'],
      ["uri", "spiffe://td/web"],
    ];
    const appended = String.raw`By=spiffe://td/proxy;Hash=00ff;Subject="CN=\"web\",O=a";URI=spiffe://td/web`;
    const part = fc.constantFrom('"', "\\", ",", ";", "=", "URI", "Subject", "spiffe://td/admin", "CN=a", " ", "\t", "é", "\u0000");
    const sent = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 30 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(sent, (before) => {
        const read = lastXfccElement(`${before},${appended}`);
        if (read !== undefined) expect(read).toEqual(own);
        lastXfccElement(before);
      }),
      { numRuns: 5_000 },
    );
  });
});
