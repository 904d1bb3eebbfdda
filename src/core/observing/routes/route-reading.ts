/** A rule of the routes in force, at this moment. */
export interface RuleReading {
  readonly name: string;
  /** The parts that it has, in their order: `split`, `mirror`, `fault`. */
  readonly parts: readonly string[];
  readonly targets: readonly RuleTargetReading[];
}

/** A target of a rule. */
export interface RuleTargetReading {
  /** As metrics have it; `undefined` for the one target of a rule without a split. */
  readonly name: string | undefined;
  /** The service; `undefined` for the one that is called. */
  readonly service: string | undefined;
  /** The name of the part of its instances; `undefined` for all. */
  readonly subset: string | undefined;
  /** Its share of the calls at present, 0 to 1. */
  readonly share: number;
}
