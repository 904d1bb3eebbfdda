import { setTimeout as sleep } from "node:timers/promises";
import { createMesh, type Mesh } from "../../index.ts";
import { Avoidance } from "./avoidance.ts";
import type { DemoRegistry } from "./demo-registry.ts";
import { DemoStatistics } from "./demo-statistics.ts";
import { Instances } from "./instances.ts";
import { Load } from "./load.ts";
import type { Screen } from "./screen.ts";
import { tellStory } from "./story.ts";

/** Settings of {@link Demo.play}. */
export interface PlayOptions {
  readonly screen: Screen;
  /** Pause between two drawings, in milliseconds. */
  readonly drawEveryMs: number;
  /** Ends the demo after so many seconds; the story is repeated until then. */
  readonly seconds: number | undefined;
  /** Repeats the story until {@link Demo.end}. */
  readonly isForever: boolean;
}

const listedWithinMs = 8_000;
const listingCheckMs = 100;
const lookEveryMs = 100;

/** Three instances in processes of their own, a registry that lists them, and a mesh under a steady load. */
export class Demo {
  readonly statistics: DemoStatistics = new DemoStatistics();
  readonly mesh: Mesh;
  readonly #registry: DemoRegistry;
  readonly #instances: Instances;
  readonly #load: Load;
  readonly #ending = new AbortController();

  constructor(registry: DemoRegistry) {
    this.#registry = registry;
    this.#instances = new Instances(registry.selfRegistration);
    this.mesh = createMesh({
      discovery: registry.discovery,
      observers: [this.statistics],
      attemptTimeoutMs: 400,
      breaker: { breakMs: 1_000, maxBreakMs: 2_000 },
    });
    this.#load = new Load(this.mesh);
  }

  /** `80 GET/s and 8 POST/s to "shop" by consul`. */
  describe(registryName: string): string {
    return `${this.#load.describe()} by ${this.#registry.discovery.name ?? registryName}`;
  }

  /** `true` after {@link end}: {@link start} and {@link play} reject. */
  get isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  end(): void {
    this.#ending.abort();
  }

  /** Starts the instances and resolves when the registry lists all of them. */
  async start(): Promise<void> {
    const names = ["a", "b", "c"];
    const started = await Promise.all(names.map((name) => this.#instances.start(name)));
    await this.#registry.publish(new Map(names.map((name, index) => [name, started[index] as number])));
    await this.#untilListed(names.length);
    this.statistics.reset();
  }

  /** Tells the story under load, and resolves when its calls have ended. */
  async play({ screen, drawEveryMs, seconds, isForever }: PlayOptions): Promise<void> {
    const timer = seconds === undefined ? undefined : setTimeout(() => this.end(), 1_000 * seconds);
    const avoidance = new Avoidance(this.statistics);
    const looking = setInterval(() => avoidance.look(this.mesh.explain("shop")?.endpoints ?? []), lookEveryMs);
    const drawing = setInterval(() => void screen.draw().catch(() => {}), drawEveryMs);
    this.#load.start();
    try {
      do await tellStory(this.#instances, (what) => this.statistics.note(what), this.#ending.signal);
      while (isForever || seconds !== undefined);
    } finally {
      clearTimeout(timer);
      clearInterval(looking);
      clearInterval(drawing);
      this.#load.stop();
    }
    await this.#load.settled();
    await screen.draw();
  }

  /** Ends every process of the demo; with `waitsForCalls` only after the calls in flight have ended. */
  async close(waitsForCalls: boolean): Promise<void> {
    if (waitsForCalls) await this.#load.settled();
    await this.mesh.close();
    await this.#instances.close();
    await this.#registry.close();
  }

  /** With Eureka it takes a moment until clients see a registration. */
  async #untilListed(count: number): Promise<void> {
    const deadline = performance.now() + listedWithinMs;
    while ((this.mesh.explain("shop")?.endpoints.length ?? 0) < count) {
      if (performance.now() > deadline) throw new Error(`the registry did not list all ${count} instances within 8 s`);
      await this.mesh.fetch("shop/ready").then(
        (response) => response.text(),
        () => {},
      );
      await sleep(listingCheckMs, undefined, { signal: this.#ending.signal });
    }
  }
}
