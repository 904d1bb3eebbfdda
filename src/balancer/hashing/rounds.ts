/**
 * The rounds in which members take slots, with Envoy's weights: the heaviest take one in each round, one of half their weight in every second round.
 * Light members wait in the list of their next round. Looking at each member in each round takes a second where one of ten thousand is 65,535
 * times as heavy as the others.
 */
export class Rounds {
  readonly #weights: Float64Array;
  readonly #highest: number;
  /** Turns of the heaviest. */
  readonly #always: readonly number[];
  /** Turns of the others, by their next round. */
  readonly #due = new Map<number, number[]>();
  readonly #targets: Float64Array;
  #round = 0;

  constructor(weights: Float64Array) {
    this.#weights = weights;
    this.#highest = weights.reduce((most, weight) => Math.max(most, weight), 0);
    this.#targets = new Float64Array(weights.length);
    const turns = Array.from(weights, (_weight, turn) => turn);
    this.#always = turns.filter((turn) => weights[turn] === this.#highest);
    this.#due.set(
      1,
      turns.filter((turn) => weights[turn] !== this.#highest),
    );
  }

  /** The turns of the next round, in ascending order. */
  next(): readonly number[] {
    const round = ++this.#round;
    const others = this.#due.get(round);
    if (others === undefined) return this.#always;
    this.#due.delete(round);
    for (const turn of others) this.#putOff(turn);
    return [...this.#always, ...others].sort((one, other) => one - other);
  }

  #putOff(turn: number): void {
    const weight = this.#weights[turn] as number;
    const target = (this.#targets[turn] as number) + this.#highest;
    this.#targets[turn] = target;
    let next = Math.max(this.#round + 1, Math.ceil(target / weight));
    // The quotient may have been rounded either way.
    while (next * weight < target) next++;
    while (next - 1 > this.#round && (next - 1) * weight >= target) next--;
    const others = this.#due.get(next);
    if (others === undefined) this.#due.set(next, [turn]);
    else others.push(turn);
  }
}
