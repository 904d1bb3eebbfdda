import type { TokenPlace } from "../../../authentication/token-verifier.ts";
import { rawHeader } from "../../../core/http/raw-headers.ts";

/** A request, as far as tokens may stand in it. */
export interface TokenCarrier {
  readonly rawHeaders: readonly string[];
  readonly target: string;
}

/** There are several, of which readers would choose different ones. */
export const ambiguous = Symbol("several tokens");

const bearer = /^bearer +(\S+)$/i;

/** The token in a place of a request; `undefined` where there is none. */
export function findToken({ rawHeaders, target }: TokenCarrier, place: TokenPlace): string | typeof ambiguous | undefined {
  if (place.kind === "query") {
    const question = target.indexOf("?");
    if (question < 0) return undefined;
    return only(new URLSearchParams(target.slice(question + 1)).getAll(place.name));
  }
  const name = place.kind === "bearer" ? "authorization" : place.kind === "cookie" ? "cookie" : place.name;
  const first = rawHeader(rawHeaders, name);
  if (first === undefined) return undefined;
  if (place.kind === "cookie") return only(cookies(valuesOf(rawHeaders, name), place.name));
  if (valuesOf(rawHeaders, name).length > 1) return ambiguous;
  if (place.kind === "header") return first;
  // Other schemes belong to others.
  if (!/^bearer\b/i.test(first)) return undefined;
  return bearer.exec(first)?.[1] ?? "";
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

function cookies(lines: readonly string[], name: string): readonly string[] {
  return lines.flatMap((line) =>
    line.split(";").flatMap((pair) => {
      const equals = pair.indexOf("=");
      return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
    }),
  );
}

function only(values: readonly string[]): string | typeof ambiguous | undefined {
  return values.length > 1 ? ambiguous : values[0];
}
