import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceExplanation } from "../../../src/index.ts";
import type { StopReport } from "../../../src/server/server.ts";
import { isAlive } from "../../servers/is-alive.ts";
import { freePorts } from "../../servers/ports.ts";
import { type Child, startChild } from "./child.ts";
import type { ClientConfig, ClientOrder } from "./client-config.ts";
import { type H2Peer, type H2Script, h2Peer } from "./h2raw.ts";
import type { InstanceConfig, InstanceOrder } from "./instance-config.ts";
import { now } from "./now.ts";
import { type RawPeer, type RawScript, rawPeer } from "./raw.ts";
import type { ClientReport, JournalEntry, ProcessFigures } from "./records.ts";

/** An instance of the service under test. */
export interface Instance {
  readonly endpoint: { readonly id: string; readonly host: string; readonly port: number };
  /** When it was last killed: its process was gone then. */
  readonly goneAt: number | undefined;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: the kernel goes on accepting connections. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /**
   * SIGTERM, upon which it leaves by itself; resolves with the milliseconds until it is gone, and those of its lame duck where it says so.
   * `onLeaving` is called as soon as it says that it begins to.
   */
  leave(onLeaving?: () => void): Promise<{ readonly ms: number; readonly lameDuckMs: number }>;
  /** Starts it again at the same address; resolves when it listens. */
  restart(): Promise<void>;
  /** Tells it something; resolves when it has done it. */
  order(order: InstanceOrder): Promise<void>;
}

/** A client under load. */
export interface Client {
  readonly name: string;
  explain(): Promise<ServiceExplanation | undefined>;
  measure(): Promise<ProcessFigures>;
  /** Sends an order and resolves with the answer. */
  ask<T>(order: ClientOrder, type: string): Promise<T>;
  start(): void;
  report(): Promise<ClientReport>;
}

/** What a row may vary of its clients. */
export type Load = Partial<Omit<ClientConfig, "name" | "seed">> & { readonly prefix?: readonly string[] };

/** What a run stands on: processes, peers and a directory, all of which end with it. */
export class World implements AsyncDisposable {
  readonly seed: number;
  readonly node: string | undefined;
  readonly clients: Client[] = [];
  readonly instances: Instance[] = [];
  readonly directory: string;
  /** What the row's clients are to be, beside the defaults. */
  load: Load = {};
  /** Endpoints that the fault hits, by id. */
  faulty: readonly string[] = [];
  #named = 0;
  readonly #children: Child[] = [];
  readonly #peers: (RawPeer | H2Peer)[] = [];
  readonly #owned: AsyncDisposable[] = [];

  private constructor(seed: number, directory: string, node: string | undefined) {
    this.seed = seed;
    this.directory = directory;
    this.node = node;
  }

  static async create(seed: number, node?: string): Promise<World> {
    return new World(seed, await mkdtemp(join(tmpdir(), "inmesh-chaos-")), node);
  }

  /** Starts instances `i0`, `i1`, …; the first ones are the faulty ones. */
  async shop(count = 5, config: Partial<InstanceConfig> = {}, faulty = 1): Promise<readonly Instance[]> {
    const from = this.#named;
    this.#named += count;
    const started = await Promise.all(
      Array.from({ length: count }, (_, index) => this.#instance({ name: `i${from + index}`, seed: this.seed + from + index, ...config })),
    );
    this.instances.push(...started);
    this.faulty = [...this.faulty, ...started.slice(0, faulty).map(({ endpoint }) => endpoint.id)];
    return started;
  }

  /** A scripted peer among the faulty endpoints. */
  async peer(script: RawScript, onConnection?: Parameters<typeof rawPeer>[2]): Promise<RawPeer> {
    const peer = await rawPeer(`r${this.#peers.length}`, script, onConnection);
    this.#peers.push(peer);
    this.faulty = [...this.faulty, peer.endpoint.id];
    return peer;
  }

  /** A scripted HTTP/2 peer among the faulty endpoints. */
  async h2Peer(script: H2Script): Promise<H2Peer> {
    const peer = await h2Peer(`h${this.#peers.length}`, script);
    this.#peers.push(peer);
    this.faulty = [...this.faulty, peer.endpoint.id];
    return peer;
  }

  /** An endpoint that drops every SYN. */
  async deafEndpoint(id: string): Promise<Instance["endpoint"]> {
    const port = await this.#deaf({});
    this.faulty = [...this.faulty, id];
    return { id, host: "127.0.0.1", port };
  }

  /** Further addresses of this machine at which a port drops every SYN. */
  async deafen(port: number, hosts: readonly string[]): Promise<void> {
    await Promise.all(hosts.map((host) => this.#deaf({ host, port })));
  }

  /** A port that drops every SYN: a process that stands still, with its queue full. */
  async #deaf(at: { readonly host?: string; readonly port?: number }): Promise<number> {
    const child = this.#child("deaf.ts", at);
    const { port } = await child.message<{ port: number }>(({ type }) => type === "listening");
    child.signal("SIGSTOP");
    const fillers = Array.from({ length: 4 }, () => connect({ host: at.host ?? "127.0.0.1", port }).on("error", () => {}));
    this.own({
      async [Symbol.asyncDispose]() {
        for (const filler of fillers) filler.destroy();
      },
    });
    return port;
  }

  /** Something that ends with the world. */
  own<T extends AsyncDisposable>(thing: T): T {
    this.#owned.push(thing);
    return thing;
  }

  /** Every endpoint there is, as static discovery lists it. */
  get endpoints(): readonly Instance["endpoint"][] {
    return [...this.instances, ...this.#peers].map(({ endpoint }) => endpoint);
  }

  /** Starts the clients, as the row's load says; `rps` for all of them together. */
  async startClients(count: number, rps: number): Promise<void> {
    const { prefix, ...load } = this.load;
    const started = Array.from({ length: count }, async (_, index) => {
      const config: ClientConfig = {
        postShare: 0.5,
        discovery: { kind: "static", endpoints: this.endpoints },
        rps: rps / count,
        ...load,
        name: `c${index}`,
        seed: this.seed * 1_000 + index,
      };
      const child = this.#child("client.ts", config, prefix);
      await child.message(({ type }) => type === "ready");
      const ask = async <T>(order: ClientOrder, type: string): Promise<T> => {
        const answer = child.message<T>((message) => message.type === type);
        child.send(order);
        return await answer;
      };
      return {
        name: config.name,
        ask,
        explain: async () => (await ask<{ explanation?: ServiceExplanation }>({ type: "explain" }, "explained")).explanation,
        measure: async () => (await ask<{ figures: ProcessFigures }>({ type: "measure" }, "measured")).figures,
        start: () => child.send({ type: "start" }),
        report: async () => (await ask<{ report: ClientReport }>({ type: "stop" }, "report")).report,
      } satisfies Client;
    });
    this.clients.push(...(await Promise.all(started)));
  }

  /** What all instances wrote down. */
  journal(): readonly JournalEntry[] {
    const written = this.instances.flatMap(({ endpoint: { id } }) => readJournal(this.#journalFile(id), id));
    return [...written, ...this.#peers.flatMap(({ journal }) => journal)].filter(({ id }) => isOfLoad(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.kill()));
    await Promise.all(this.#peers.map((peer) => peer[Symbol.asyncDispose]()));
    for (const thing of this.#owned.reverse()) await thing[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** What is still there of this world once it has been disposed; nothing, if all is well. */
  leftovers(): readonly string[] {
    const alive = this.#children.filter(({ pid }) => isAlive(pid)).map(({ pid }) => `process ${pid}`);
    const open = this.#peers.filter(({ connections }) => connections > 0).map(({ endpoint }) => `connections of ${endpoint.id}`);
    return [...alive, ...open, ...(existsSync(this.directory) ? [this.directory] : [])];
  }

  #journalFile(id: string): string {
    return join(this.directory, `${id}.journal`);
  }

  #child(file: string, config: unknown, prefix?: readonly string[]): Child {
    const child = startChild({
      file: join(import.meta.dirname, file),
      args: [JSON.stringify(config)],
      ...(prefix === undefined ? {} : { prefix }),
      ...(this.node === undefined ? {} : { node: this.node }),
    });
    this.#children.push(child);
    return child;
  }

  async #instance(given: Partial<InstanceConfig> & { readonly name: string; readonly seed: number }): Promise<Instance> {
    const host = given.host ?? "127.0.0.1";
    // A fixed port below the range of outgoing connections: after a restart it has to be the same one.
    const [port = 0] = given.port === undefined ? await freePorts(1, host) : [given.port];
    const config: InstanceConfig = { ...given, host, port, journal: this.#journalFile(given.name) };
    let goneAt: number | undefined;
    let child: Child;
    const start = async () => {
      child = this.#child("instance.ts", config);
      await child.message(({ type }) => type === "listening");
    };
    await start();
    return {
      endpoint: { id: config.name, host, port },
      get goneAt() {
        return goneAt;
      },
      async kill() {
        await child.kill();
        goneAt = now();
      },
      async leave(onLeaving) {
        const startedAt = now();
        let lameDuckMs = 0;
        const stopped = child.message<{ report: StopReport }>(({ type }) => type === "stopped");
        const told = stopped.then(({ report }) => (lameDuckMs = report.lameDuckMs)).catch(() => {});
        if (onLeaving !== undefined) void child.message(({ type }) => type === "leaving").then(onLeaving, () => {});
        child.signal("SIGTERM");
        await child.exited;
        goneAt = now();
        await told;
        return { ms: goneAt - startedAt, lameDuckMs };
      },
      freeze: () => child.signal("SIGSTOP"),
      thaw: () => child.signal("SIGCONT"),
      async restart() {
        await child.kill();
        await start();
      },
      async order(order) {
        const done = child.message(({ type }) => type === "done");
        child.send(order);
        await done;
      },
    };
  }
}

/** Whether an id is one of a client's ledger: not that of its first call, nor of one beside the load. */
export function isOfLoad(id: string): boolean {
  return /^c\d+-\d+$/.test(id);
}

function readJournal(file: string, instance: string): readonly JournalEntry[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [event, id = "?", method = "?", at] = line.split(" ");
      return { event: event as JournalEntry["event"], id, method, at: Number(at), instance };
    });
}
