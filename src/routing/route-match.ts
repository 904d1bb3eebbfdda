/** The calls that a rule is for. Every part must hold. */
export interface RouteMatch {
  /** The service that was called; one of several. @default any */
  readonly service?: string | readonly string[];
  /**
   * The host of the request: its `host` header, or the called service where it has none, without port, in lower case. One of several:
   * `shop.example`, `*.shop.example`, `shop.*`, `*`. @default any
   */
  readonly host?: string | readonly string[];
  /** The path, by one of these parts. @default any */
  readonly path?: PathMatch;
  /** One of several, in upper case. @default any */
  readonly method?: string | readonly string[];
  /** Headers by name. Several lines of one are matched as one text, joined by `,`. */
  readonly headers?: Readonly<Record<string, TextMatch>>;
  /** Parameters of the query by name, decoded; of several, the first. */
  readonly query?: Readonly<Record<string, TextMatch>>;
  /** The verified caller of the request that is being answered: its SPIFFE id, or a prefix of ids that ends in `/*`. One of several. @default any */
  readonly caller?: string | readonly string[];
  /** The version of the API that was asked for. */
  readonly version?: VersionMatch;
  /** The share of the calls with all of this that match, by chance, in percent; the others are for the next rules. @default 100 */
  readonly percent?: number;
}

/** The path without its query, byte by byte as it was called: nothing is decoded. */
export type PathMatch =
  | {
      /** The whole path. */
      readonly exact: string;
      /** Letters in either case. Not for templates. @default false */
      readonly ignoreCase?: boolean;
    }
  | {
      /** Whole segments: `/api` is a prefix of `/api` and `/api/users` and not of `/apis`; `/api/` is none of `/api`. */
      readonly prefix: string;
      readonly ignoreCase?: boolean;
    }
  | {
      /** Any beginning: `/api` is one of `/apis`. */
      readonly begins: string;
      readonly ignoreCase?: boolean;
    }
  | {
      /** `/users/{id}/orders`: a segment in braces is any one that is not empty, `{rest*}` at the end is any number of them. */
      readonly template: string;
    }
  | {
      /** A linear pattern (RE2 syntax), of the whole path. Needs the npm package `re2js`. */
      readonly pattern: string;
      readonly ignoreCase?: boolean;
    };

/** A text, exactly, or by one of the parts. A text that is not there matches `present: false`, and whatever `not` turns round. */
export type TextMatch =
  | string
  | {
      /** The whole text. */
      readonly exact?: string;
      /** Its beginning. */
      readonly prefix?: string;
      /** Its end. */
      readonly suffix?: string;
      /** A part of it. */
      readonly contains?: string;
      /** A linear pattern (RE2 syntax), of the whole text. */
      readonly pattern?: string;
      /** Whether there is one. `true` beside another part: of a text that is there, `not` included. @default true */
      readonly present?: boolean;
      /** A whole number, from the first up to but not including the second. */
      readonly range?: readonly [from: number, to: number];
      /** Letters in either case. @default false */
      readonly ignoreCase?: boolean;
      /** Turns the rest round. @default false */
      readonly not?: boolean;
    };

/** The version of an API as a call names it. */
export interface VersionMatch {
  /** The segment `v2` at this place of the path, from 0; a header; or the parameter `version` of the media type in `accept`. */
  readonly from:
    | {
        /** The place of the segment, from 0. */
        readonly segment: number;
      }
    | {
        /** The name of the header. */
        readonly header: string;
      }
    | "mediaType";
  /** A range of semver: `2`, `>=1.2 <3`. */
  readonly range: string;
}
