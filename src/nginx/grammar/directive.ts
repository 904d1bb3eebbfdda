import type { Place } from "../../documents/document-error.ts";
import { NginxError } from "./nginx-error.ts";

/** A word of a directive. */
export interface Word {
  /** Without quotes, escapes resolved. */
  readonly text: string;
  readonly place: Place;
  /** Whether it stood in quotes. */
  readonly isQuoted: boolean;
}

/** A directive as it stands in a file: `proxy_pass http://service;`, or with a block. */
export interface Directive {
  readonly name: string;
  readonly args: readonly Word[];
  /** The directives in its braces, those of included files in their place; `undefined` for one that ends with `;`. */
  readonly block: readonly Directive[] | undefined;
  /** The file that it stands in, which an `include` may have brought. */
  readonly file: string;
  readonly place: Place;
}

/** The error about a directive, with its place, or with that of one of its words. */
export function faultOf(directive: Directive, problem: string, place: Place = directive.place): NginxError {
  return new NginxError(directive.file, `${directive.name}: ${problem}`, place);
}

/** Where a directive stands: `nginx.conf:12:5`. */
export function whereOf({ file, place }: Pick<Directive, "file" | "place">): string {
  return `${file}:${place.line}:${place.column}`;
}
