import { PerList } from "../../balancer/lists/per-list.ts";
import { PerUpstream } from "../../balancer/lists/per-upstream.ts";
import type { AttemptLearner, Picker, PickerContext, PickerView } from "../../balancer/picker.ts";
import { type PickerSources, settlePicker, sourcesOf } from "../../balancer/picker-options.ts";
import type { MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isMeshError } from "../../core/errors.ts";
import { answeredCaller, keepAnsweredCallers } from "../../core/peers/answered-caller.ts";
import type { Upstream } from "../../core/upstream.ts";
import { byAddress, byHash, byRing, type HashProgress, hashBegin, type Ring, ringOf } from "./hashes.ts";
import { keyText } from "./key-text.ts";
import { byChance, byConnections, byTurns, byTwoChances, type Choice, single } from "./methods.ts";
import { type NginxOptions, type NginxSettings, nginxOptions } from "./nginx-options.ts";
import { failed, groupsOf, isUsable, type Peer, type PeerGroups, peerOf, succeeded } from "./peers.ts";

/**
 * The choice of nginx (1.22) among the servers of an upstream, by its own algorithms, with its own account of failures: `max_fails` failures within
 * `fail_timeout` take a server out for `fail_timeout`, and the weights of servers that fail are lowered for a while. The facts of each server are in the
 * metadata of its instance. Use it with `breaker: false`.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function nginx(options: NginxOptions = {}): Picker {
  const settings = settlePicker("nginx", nginxOptions, options);
  const needsKey = settings.method === "hash" || settings.method === "consistentHash";
  if (needsKey && settings.key === undefined) throw new TypeError(`nginx: ${settings.method} needs a key, such as "$request_uri"`);
  if (settings.method === "ipHash" || settings.key?.includes("remote_addr") === true) keepAnsweredCallers();
  return new NginxPicker(settings, undefined);
}

/** Servers, and their ring where the method has one. */
interface Servers extends PeerGroups {
  readonly ring: Ring | undefined;
}

/** Errors by which nginx takes a server for failed. */
const failures: ReadonlySet<string> = new Set(["ERR_MESH_CONNECT", "ERR_MESH_TIMEOUT", "ERR_MESH_PROTOCOL", "ERR_MESH_TLS_PEER"]);
const notRepeated: ReadonlySet<string> = new Set(["POST", "LOCK", "PATCH"]);

class NginxPicker implements Picker {
  readonly #settings: NginxSettings;
  readonly #sources: PickerSources;
  readonly #key: ((request: MeshRequest) => string) | undefined;
  readonly #peers = new PerUpstream<{ peer: Peer | undefined }>(() => ({ peer: undefined }));
  readonly #lists = new PerList<Servers>((list) => this.#serversOf(list));
  /** The last list that was announced: a retry picks from a part of it. */
  #list: readonly Upstream[] = [];
  readonly #progress = new WeakMap<object, HashProgress>();

  constructor(settings: NginxSettings, context: PickerContext | undefined) {
    this.#settings = settings;
    this.#sources = sourcesOf(settings, context);
    this.#key = settings.key === undefined ? undefined : keyText(settings.key, clientAddress);
  }

  update(upstreams: readonly Upstream[]): void {
    this.#lists.announce(upstreams);
    if (upstreams.length > 0) this.#list = upstreams;
  }

  pick(upstreams: readonly Upstream[], request: MeshRequest): Upstream | undefined {
    if (upstreams.length === 0) return undefined;
    const servers = this.#lists.of(upstreams) ?? this.#lists.of(this.#list) ?? this.#serversOf(upstreams);
    const { primary, backup } = servers;
    const base = { now: this.#now(), tried: request.tried, random: this.#sources.random };
    const isOnBackup = backup !== undefined && request.tried.some((each) => this.#peerOf(each).isBackup);
    const peer = isOnBackup ? undefined : this.#choose({ ...base, group: primary }, servers, request);
    if (peer !== undefined) return peer.upstream;
    if (backup === undefined) return undefined;
    const choice = { ...base, group: backup };
    return (this.#settings.method === "leastConnections" ? byConnections(choice) : byTurns(choice))?.upstream;
  }

  #choose(choice: Choice, { ring }: Servers, request: MeshRequest): Peer | undefined {
    const { method } = this.#settings;
    if (choice.group.isSingle) return choice.tried.length > 0 ? undefined : single(choice);
    if (choice.group.totalWeight === 0) return byTurns(choice);
    if (method === "leastConnections") return byConnections(choice);
    if (method === "random") return byChance(choice);
    if (method === "randomTwo") return byTwoChances(choice);
    if (method === "ipHash") return byAddress(choice, clientAddress(), this.#progressOf(request));
    const key = method === "roundRobin" ? "" : (request.options.hashKey ?? this.#key?.(request) ?? "");
    if (key === "") return byTurns(choice);
    if (ring !== undefined) return byRing(choice, ring, key, this.#progressOf(request));
    return byHash(choice, key, this.#progressOf(request));
  }

  /** The attempts of a call share the list of those that it has tried. */
  #progressOf({ tried }: MeshRequest): HashProgress {
    let progress = this.#progress.get(tried);
    if (progress === undefined) {
      progress = hashBegin();
      this.#progress.set(tried, progress);
    }
    return progress;
  }

  onAttempt(upstream: Upstream, request: MeshRequest): AttemptLearner | undefined {
    if ((this.#lists.of(this.#list)?.primary.isSingle ?? false) && !this.#peerOf(upstream).isBackup) return undefined;
    const peer = this.#peerOf(upstream);
    let isOver = false;
    return {
      onHead: (response) => {
        if (!this.#isFailed(request, response)) return;
        isOver = true;
        failed(peer, this.#now());
      },
      onEnd: (error) => {
        if (isOver) return;
        // A body that breaks is no failure to nginx, which has begun to answer; a caller that gives up is none either.
        if (isMeshError(error) && failures.has(error.code) && !isBody(request)) failed(peer, this.#now());
        else succeeded(peer);
      },
    };
  }

  #isFailed(request: MeshRequest, { status }: MeshResponse): boolean {
    const own = (request.routed?.options as { readonly retry?: RouteRetry | false } | undefined)?.retry;
    if (own === false) return false;
    const { failedStatuses, maxAttempts = Number.POSITIVE_INFINITY, anyMethod } = this.#settings;
    const statuses: readonly unknown[] = own?.on ?? failedStatuses;
    // 403 and 404 lead to the next server, and are no failures.
    if (status === 403 || status === 404 || !statuses.includes(status)) return false;
    if (request.attempt >= (own?.maxAttempts ?? maxAttempts)) return false;
    return own?.methods === undefined ? anyMethod || !notRepeated.has(request.method) : own.methods.includes(request.method);
  }

  explain(upstream: Upstream): PickerView {
    const peer = this.#peerOf(upstream);
    const now = this.#now();
    const figures = { weight: peer.weight, effectiveWeight: peer.effectiveWeight, currentWeight: peer.currentWeight, fails: peer.fails };
    if (peer.isDown) return { ...figures, meant: 0, avoided: "down in the file" };
    if (peer.isBackup) return { ...figures, meant: 0 };
    if (isUsable(peer, now, [])) return figures;
    const seconds = peer.failTimeout - (now - peer.checked) + 1;
    return {
      ...figures,
      avoided: peer.fails >= peer.maxFails && peer.maxFails > 0 ? `after ${peer.fails} failures, for ${seconds} s` : "full",
    };
  }

  avoids(upstream: Upstream): boolean {
    return !isUsable(this.#peerOf(upstream), this.#now(), []);
  }

  forService(_service: string, context?: PickerContext): Picker {
    return new NginxPicker(this.#settings, context);
  }

  #now(): number {
    return Math.floor(this.#sources.clock.wallNow() / 1_000);
  }

  #serversOf(list: readonly Upstream[]): Servers {
    const groups = groupsOf(list.map((upstream) => this.#peerOf(upstream)));
    return { ...groups, ring: this.#settings.method === "consistentHash" ? ringOf(groups.primary) : undefined };
  }

  /** The state of a server lives on while its facts stay. */
  #peerOf(upstream: Upstream): Peer {
    const state = this.#peers.of(upstream);
    const fresh = state.peer === undefined || state.peer.weight !== upstream.weight ? peerOf(upstream) : undefined;
    if (fresh !== undefined) state.peer = fresh;
    return state.peer as Peer;
  }
}

/** Retries as a route may have them of its own. */
interface RouteRetry {
  readonly on?: readonly unknown[];
  readonly methods?: readonly string[];
  readonly maxAttempts?: number;
}

function isBody({ attempts }: MeshRequest): boolean {
  return attempts.at(-1)?.phase === "body";
}

/** The client of the request that is being answered here. */
function clientAddress(): string | undefined {
  return answeredCaller()?.address;
}
