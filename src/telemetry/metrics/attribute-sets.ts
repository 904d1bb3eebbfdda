import type { Attributes } from "@opentelemetry/api";
import type { RpcProtocol } from "../../core/dispatch.ts";
import { fullNameOf, type RpcMethod } from "../../core/rpc/rpc-method.ts";
import { rpcStatusName } from "../../core/rpc/rpc-status.ts";
import { attribute } from "../attribute-names.ts";
import { BoundedValues, type CallOutcome, knownStatus, other, rpcSystemOf } from "../attribute-values.ts";

/** The attribute sets of attempts that differ only in how they ended. Each is built once, so that an attempt builds none. */
export class AttemptSets {
  readonly #base: Attributes;
  readonly #answered = new Map<number, Attributes>();
  readonly #failed = new Map<string, Attributes>();

  constructor(base: Attributes) {
    this.#base = base;
  }

  /** The set for an attempt with this status and this `error.type`, either of which may be absent. */
  of(status: number | undefined, errorType: string | undefined): Attributes {
    // The usual end is found by its status alone, since `error.type` follows from it.
    if (status !== undefined && (errorType === undefined || status >= 400)) {
      const code = knownStatus(status);
      let set = this.#answered.get(code);
      if (set === undefined) {
        set = this.#build(code, errorType);
        this.#answered.set(code, set);
      }
      return set;
    }
    const code = status === undefined ? undefined : knownStatus(status);
    const key = `${code} ${errorType}`;
    let set = this.#failed.get(key);
    if (set === undefined) {
      set = this.#build(code, errorType);
      this.#failed.set(key, set);
    }
    return set;
  }

  #build(status: number | undefined, errorType: string | undefined): Attributes {
    const set: Attributes = { ...this.#base };
    if (status !== undefined) set[attribute.status] = status;
    if (errorType !== undefined) set[attribute.errorType] = errorType;
    return set;
  }
}

/** The attribute sets of calls that differ only in their outcome. */
export class CallSets {
  readonly #base: Attributes;
  readonly #success: Attributes;
  readonly #others = new Map<string, Attributes>();

  constructor(base: Attributes) {
    this.#base = base;
    this.#success = { ...base, [attribute.outcome]: "success" satisfies CallOutcome };
  }

  of(outcome: CallOutcome, errorType: string | undefined): Attributes {
    if (outcome === "success") return this.#success;
    const key = `${outcome} ${errorType}`;
    let set = this.#others.get(key);
    if (set === undefined) {
      set = { ...this.#base, [attribute.outcome]: outcome };
      if (errorType !== undefined) set[attribute.errorType] = errorType;
      this.#others.set(key, set);
    }
    return set;
  }
}

/** Distinct values of `rpc.method` in the sets of one {@link RpcSets}. */
const maxMethods = 100;

/** A call of a remote procedure that has ended. */
export interface RpcEnd {
  readonly method: RpcMethod | undefined;
  readonly protocol: RpcProtocol;
  /** `undefined`: no instance has told one. */
  readonly status: number | undefined;
  readonly errorType: string | undefined;
}

/** The attribute sets of remote procedure calls, by method and by how they ended. */
export class RpcSets {
  readonly #base: Attributes;
  readonly #methods = new BoundedValues(maxMethods);
  readonly #sets = new Map<string, Attributes>();

  constructor(base: Attributes) {
    this.#base = base;
  }

  of({ method, protocol, status, errorType }: RpcEnd): Attributes {
    const name = method === undefined ? other : this.#methods.admit(fullNameOf(method));
    const key = `${protocol} ${name} ${status} ${errorType}`;
    let set = this.#sets.get(key);
    if (set === undefined) {
      set = { ...this.#base, [attribute.rpcSystem]: rpcSystemOf(protocol), [attribute.rpcMethod]: name };
      if (status !== undefined) set[attribute.rpcStatus] = rpcStatusName(status);
      if (errorType !== undefined) set[attribute.errorType] = errorType;
      this.#sets.set(key, set);
    }
    return set;
  }
}

/** The attribute sets that differ in the value of one attribute. Every value is kept, so they must be a closed set. */
export class ValueSets {
  readonly #base: Attributes;
  readonly #name: string;
  readonly #byValue = new Map<string, Attributes>();

  constructor(base: Attributes, name: string) {
    this.#base = base;
    this.#name = name;
  }

  of(value: string): Attributes {
    let set = this.#byValue.get(value);
    if (set === undefined) {
      set = { ...this.#base, [this.#name]: value };
      this.#byValue.set(value, set);
    }
    return set;
  }
}
