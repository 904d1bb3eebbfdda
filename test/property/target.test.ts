import fc from "fast-check";
import { expect, it } from "vitest";
import { parseTarget, type Target } from "../../src/fetch/target.ts";

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
const isIn = (text: string, allowed: string) => [...text].every((char) => allowed.includes(char));

/** A number as inet_aton reads it. */
const isNumber = (text: string) =>
  /^0x/i.test(text) ? isIn(text.slice(2), "0123456789abcdefABCDEF") : text !== "" && isIn(text, "0123456789");

function isName(name: string): boolean {
  const labels = name.split(".");
  const isLabel = (label: string) =>
    label.length >= 1 && label.length <= 63 && isIn(label, `${letters}-`) && !label.startsWith("-") && !label.endsWith("-");
  return name.length <= 253 && labels.every(isLabel) && !labels.every(isNumber);
}

/** The grammar read off slowly: cut at the first fragment and the first `/` or `?`, look at every part. */
function recognise(target: string): Target | undefined {
  let rest = target;
  for (const scheme of ["mesh://", "http://", "https://"]) {
    if (!target.startsWith(scheme)) continue;
    rest = target.slice(scheme.length);
    break;
  }
  const [beforeFragment = ""] = rest.split("#");
  const end = [...beforeFragment].findIndex((char) => char === "/" || char === "?");
  const service = end < 0 ? beforeFragment : beforeFragment.slice(0, end);
  const out = end < 0 ? "" : beforeFragment.slice(end);
  if (!isName(service)) return undefined;
  for (let index = 0; index < out.length; index++) {
    const code = out.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f || out[index] === "\\") return undefined;
  }
  const path = out.startsWith("/") ? out : `/${out}`;
  const segments = (path.split("?")[0] as string).split("/").map((segment) => segment.replace(/%2e/gi, "."));
  if (segments.some((segment) => segment === "." || segment === "..")) return undefined;
  return { service, path, requiresTls: target.startsWith("https://") };
}

function parsed(target: string): Target | undefined {
  try {
    return parseTarget(target);
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_MESH_INVALID_TARGET", maybeExecuted: false });
    return undefined;
  }
}

const of = (chars: string, min: number, max: number) => fc.string({ unit: fc.constantFrom(...chars), minLength: min, maxLength: max });
const label = fc.oneof(
  of(letters, 1, 8),
  of(`${letters}-`, 1, 65),
  of("0123456789", 1, 5),
  of("0123456789abcdefx", 1, 6).map((hex) => `0x${hex}`),
  fc.constantFrom("a".repeat(63), "b".repeat(64), "__proto__", "xn--a", "0x"),
);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
const pieces = fc.constantFrom(
  "/",
  ".",
  "..",
  "%2e",
  "%2E",
  "%2f",
  "%",
  "?",
  "#",
  "a",
  "b=c",
  "&",
  "@",
  ":",
  "//",
  ";v=1",
  "%00",
  "{",
  "~",
);
const rest = fc.array(pieces, { maxLength: 8 }).map((list) => list.join(""));
const scheme = fc.constantFrom("", "", "mesh://", "http://", "https://");
const wellFormed = fc.tuple(scheme, name, fc.constantFrom("", "/", "?", "#"), rest).map((parts) => parts.join(""));
const bent = fc
  .tuple(
    wellFormed,
    fc.nat(40),
    fc.nat(2),
    fc.oneof(fc.constantFrom(..."\\@:/#? \t\n\r\0\x7f\u0441\u3002\u2044\ud800.-%"), fc.string({ maxLength: 2 })),
  )
  .map(([text, place, cut, bit]) => text.slice(0, place) + bit + text.slice(place + cut));

it("a target is accepted exactly where a slow reading of the grammar accepts it, with the same parts", () => {
  fc.assert(
    fc.property(fc.oneof(wellFormed, bent, fc.string({ unit: "binary" })), (target) => {
      expect(parsed(target)).toEqual(recognise(target));
    }),
    { numRuns: 2_000 },
  );
});

it("an accepted target round-trips byte for byte, whatever was read before it", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(wellFormed, bent), { minLength: 1, maxLength: 4 }), (targets) => {
      for (const target of targets) {
        const read = parsed(target);
        if (read === undefined) continue;
        const { service, path } = read;
        const start = /^(?:mesh|https?):\/\//.exec(target)?.[0] ?? "";
        expect(parsed(start + service + path)).toEqual(read);
        const [sent] = target.split("#");
        // All that is ever added is the slash that a missing or a bare query's path begins with.
        expect([start + service + path, start + service + path.slice(1)]).toContain(sent);
      }
    }),
    { numRuns: 2_000 },
  );
});
