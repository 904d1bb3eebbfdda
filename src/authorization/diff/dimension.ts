import type { Caller, VerifiedToken } from "../../core/peers/caller.ts";
import { type Condition, conditionsOf } from "../conditions/conditions.ts";
import type { PolicyRule } from "../policy.ts";

/** A request that stands for its class. */
export interface ExampleRequest {
  readonly method: string;
  readonly path: string;
  readonly identity: string | undefined;
  readonly address: string | undefined;
  /** Values by the name of the header in lower case. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly tokens: readonly VerifiedToken[];
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** Requests that some rules cannot tell apart by conditions of one kind. */
export interface RequestClass {
  /** The class in words: `POST`, `any other method`. */
  readonly label: string;
  /** The parts of an example that make it one of the class. */
  readonly part: Partial<ExampleRequest>;
  /** Whether the example is one of the class. Of a regular expression it may only be supposed that a text exists. */
  readonly isCertain: boolean;
  /** Whether the conditions of this kind hold that a rule has. */
  holds(rule: PolicyRule): boolean;
}

/** One kind of condition: on the identity, the path, a header. The kinds of a rule are independent of each other. */
export interface Dimension {
  readonly name: string;
  /** The rule with its conditions of this kind alone; `undefined` where it has none. */
  partOf(rule: PolicyRule): PolicyRule | undefined;
  /** At least one example of each class that `rules` tell apart. What is not looked at is told to `cut`. */
  classesFor(rules: readonly PolicyRule[], cut: (reason: string) => void): readonly RequestClass[];
}

/** A request of which nothing is said: each part that a class does not set. */
export const plainRequest: ExampleRequest = {
  method: "GET",
  path: "/",
  identity: undefined,
  address: undefined,
  headers: {},
  tokens: [],
  atMs: Date.UTC(2027, 0, 4, 12),
};

/** Asks the conditions of rules about examples, as a policy asks them. */
export class Asker {
  readonly #partOf: Dimension["partOf"];
  readonly #conditions = new Map<PolicyRule, readonly Condition[]>();

  constructor(partOf: Dimension["partOf"]) {
    this.#partOf = partOf;
  }

  holds(rule: PolicyRule, example: ExampleRequest): boolean {
    const { request, caller } = askedOf(example);
    return this.#of(rule).every((condition) => condition(request, caller, example.atMs));
  }

  #of(rule: PolicyRule): readonly Condition[] {
    const known = this.#conditions.get(rule);
    if (known !== undefined) return known;
    const part = this.#partOf(rule);
    const made = part === undefined ? [] : conditionsOf(part, { identities: false, methods: false, paths: false });
    this.#conditions.set(rule, made);
    return made;
  }
}

/** An example as a policy is asked about it. */
export function askedOf({ method, path, headers, identity, address, tokens }: ExampleRequest) {
  const headerValues = (name: string): readonly string[] => (Object.hasOwn(headers, name) ? (headers[name] ?? []) : []);
  const caller: Caller = { identity, address, tokens };
  return { request: { method, path, headerValues }, caller };
}

/** A kind whose classes are known by examples, from all rules at once. */
export function sampled(
  name: string,
  partOf: Dimension["partOf"],
  samples: readonly { readonly label: string; readonly part: Partial<ExampleRequest> }[],
): Dimension {
  const asker = new Asker(partOf);
  const classes = samples.map(({ label, part }): RequestClass => {
    const example = { ...plainRequest, ...part };
    return { label, part, isCertain: true, holds: (rule) => asker.holds(rule, example) };
  });
  return { name, partOf, classesFor: () => classes };
}

/** The first of `text`, `text-2`, `text-3`, … that is free. */
export function freeText(text: string, isTaken: (text: string) => boolean): string {
  for (let number = 1; ; number++) {
    const found = number === 1 ? text : `${text}-${number}`;
    if (!isTaken(found)) return found;
  }
}
