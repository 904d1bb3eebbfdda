import { fenced } from "../core/observing/fence.ts";
import type { ServerReading } from "../core/observing/reading.ts";
import { joinServers, observersOf, type ServerObservers } from "../core/observing/served-mesh.ts";
import type { ServingState } from "../core/observing/serving-state.ts";
import type { MeshRegistration } from "../registration/mesh-registration.ts";
import { Callers } from "./callers.ts";
import { claimServer } from "./claim-server.ts";
import { guardDoor } from "./connections/door.ts";
import { listenBeside } from "./connections/listen-beside.ts";
import { noticeClose } from "./connections/notice-close.ts";
import { Traffic } from "./connections/traffic.ts";
import { DrainGate } from "./drain-gate.ts";
import { SecuredServer } from "./entrance/secured-server.ts";
import { Inbound } from "./inbound/inbound.ts";
import { useMesh } from "./mesh-users.ts";
import { type NodeServer, type Servable, serverOf } from "./node-server.ts";
import type { ServerParts } from "./parts.ts";
import { Readiness, type ReadinessAnswer } from "./readiness.ts";
import type { ServeSettings } from "./serve-options.ts";
import { ServedRegistration } from "./served-registration.ts";
import { onSignals } from "./signals.ts";
import { start } from "./start.ts";
import { Stop, type StopReport } from "./stop.ts";
import { useChannel } from "./workers/channel.ts";

/** A server that is served; see `serve`. Disposing it stops it. */
export interface Serving extends AsyncDisposable {
  readonly state: ServingState;
  /**
   * The registration; `undefined` where none was asked for, before the server is ready, and in a worker while another one of its server holds it.
   */
  readonly registration: MeshRegistration | undefined;
  /**
   * Resolves once the server listens, is warm and ready, and is registered where that was asked for; in a worker, once one of its server holds the
   * registration. Rejects where it stops before that.
   */
  readonly started: Promise<void>;
  /** Aborts when the server begins to leave: for loops and consumers that should begin nothing new. */
  readonly leaving: AbortSignal;
  /** Whether this process is ready for requests, and if not, why. */
  readiness(): Promise<ReadinessAnswer>;
  /** Lets a stop wait for work that is no request, such as a job. Returns `work`. */
  track<Work extends PromiseLike<unknown>>(work: Work): Work;
  /** Stops without losing a request; a second call returns the same promise, which never rejects. `why` is for the log. */
  stop(why?: string): Promise<StopReport>;
}

export class ServedServer implements Serving {
  readonly #parts: ServerParts;
  readonly #leaving = new AbortController();
  readonly #releaseServer: () => void;
  readonly #takeGateAway: () => void;
  readonly #giveCloseBack: () => void;
  readonly #leaveOthers: () => void;
  readonly #offSignals: () => void;
  readonly #releaseMesh: (() => Promise<void>) | undefined;
  readonly #leaveReading: (() => void) | undefined;
  #state: ServingState = "starting";
  #stateSince: number;
  readonly #registration: ServedRegistration;
  readonly #releaseChannel: () => void;
  readonly #secured: SecuredServer | undefined;
  #stop: Stop | undefined = undefined;
  #stopped: Promise<StopReport> | undefined = undefined;
  readonly started: Promise<void>;

  constructor(servable: Servable, settings: ServeSettings) {
    const { server, application, grpc } = serverOf(servable);
    const { mesh, ready, clock, signals, callerMemoryMs } = settings;
    // Before anything listens to the server, and after all that throws.
    const inbound = Inbound.of(settings, { readiness: () => this.readiness(), grpc });
    this.#releaseServer = claimServer(server);
    const traffic = new Traffic(server);
    const callers = new Callers(callerMemoryMs, clock);
    const secured = this.#secure(settings, server, traffic);
    this.#secured = secured;
    const gate = new DrainGate({ server, traffic, callers, inbound, clock, id: () => this.registration?.id });
    this.#parts = {
      settings,
      server,
      application,
      traffic,
      callers,
      inbound,
      gate,
      readiness: new Readiness(ready, clock, () => secured?.problem),
      leaving: this.#leaving.signal,
      log: (text) => this.#log(text),
    };
    const onClosed = (): void => void this.stop("as its server was closed");
    this.#registration = new ServedRegistration(this.#parts, onClosed);
    this.#releaseChannel = useChannel();
    this.#takeGateAway = guardDoor(server, gate, secured?.entrance);
    this.#giveCloseBack = noticeClose(server, onClosed);
    this.#leaveOthers = listenBeside(server, grpc?.others ?? []);
    this.#releaseMesh = mesh === undefined ? undefined : useMesh(mesh);
    this.#stateSince = clock.now();
    this.#leaveReading = mesh === undefined ? undefined : joinServers(mesh, () => this.#read());
    this.#offSignals = onSignals(
      signals,
      (signal) => void this.stop(`upon ${signal}`),
      () => this.#stop?.hurry(),
    );
    this.started = this.#start();
    // Whether it has started is also told by the state and the log: a program need not wait for it.
    this.started.catch(() => {});
  }

  /** A source of identities is code of the application: what it throws must not leave the server claimed. */
  #secure(settings: ServeSettings, server: NodeServer, traffic: Traffic): SecuredServer | undefined {
    try {
      return SecuredServer.of(settings, {
        server,
        traffic,
        log: (text) => this.#log(text),
        tell: (connection) => this.#observers?.emit?.({ type: "server-connection", service: this.#service, ...connection }),
      });
    } catch (error) {
      this.#releaseServer();
      throw error;
    }
  }

  get state(): ServingState {
    return this.#state;
  }

  get registration(): MeshRegistration | undefined {
    return this.#registration.current;
  }

  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  readiness(): Promise<ReadinessAnswer> {
    return this.#parts.readiness.answer();
  }

  track<Work extends PromiseLike<unknown>>(work: Work): Work {
    this.#parts.traffic.track(work);
    return work;
  }

  stop(why = "as the program asked"): Promise<StopReport> {
    if (this.#stopped !== undefined) return this.#stopped;
    // Known before anything happens: a listener of `leaving` may ask to stop, too.
    const { promise, resolve } = Promise.withResolvers<StopReport>();
    this.#stopped = promise;
    resolve(this.#end(why));
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start(): Promise<void> {
    await start(this.#parts);
    // It may have been stopped between the last answer and this turn.
    this.#leaving.signal.throwIfAborted();
    this.#parts.readiness.open();
    this.#parts.inbound?.look();
    this.#become("serving");
    await this.#registration.begin();
  }

  async #end(why: string): Promise<StopReport> {
    const wasServing = this.#state === "serving";
    const servingSince = this.#stateSince;
    this.#parts.readiness.close("it is stopping");
    this.#parts.inbound?.look();
    this.#become("lame-duck");
    this.#leaving.abort(new Error("the server is stopping"));
    const stop = new Stop(this.#parts, this.#registration);
    this.#stop = stop;
    if (wasServing) await stop.beLameDuck(why, servingSince);
    this.#become("draining");
    await stop.drain();
    const report = await stop.leave(async () => {
      // While the mesh still has observers.
      this.#become("stopped", stop.cutOff);
      this.#leaveReading?.();
      await this.#releaseMesh?.();
    });
    this.#takeGateAway();
    this.#giveCloseBack();
    this.#leaveOthers();
    this.#secured?.close();
    this.#releaseServer();
    this.#offSignals();
    this.#releaseChannel();
    return report;
  }

  #become(state: ServingState, cutOff = 0): void {
    const { settings, traffic } = this.#parts;
    this.#state = state;
    this.#stateSince = settings.clock.now();
    this.#observers?.emit?.({ type: "serving", service: this.#service, state, open: traffic.open, cutOff });
  }

  #read(): ServerReading {
    const { settings, traffic } = this.#parts;
    return {
      service: this.#service,
      state: this.#state,
      sinceMs: settings.clock.now() - this.#stateSince,
      open: traffic.open,
      connections: traffic.connections,
      ...this.#secured?.reading(),
    };
  }

  get #observers(): ServerObservers | undefined {
    const { mesh } = this.#parts.settings;
    return mesh === undefined ? undefined : observersOf(mesh);
  }

  get #service(): string {
    return this.#parts.settings.register?.service ?? "_unregistered";
  }

  #log(text: string): void {
    const { settings, server } = this.#parts;
    const { log, register } = settings;
    const address = server.address();
    const place = typeof address === "object" && address !== null ? ` on port ${address.port}` : "";
    if (log !== false) fenced("the log of serve", () => log(`inmesh: ${register?.service ?? "the server"}${place} ${text}`));
  }
}
