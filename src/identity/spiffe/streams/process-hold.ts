import type { Socket } from "node:net";
import type { ChannelCredentials } from "@grpc/grpc-js";

/** The part of the credentials of a channel by which `@grpc/grpc-js` 1.14 hands over a connection. */
interface Connecting {
  _createSecureConnector?: (...given: unknown[]) => { connect(socket: Socket): Promise<unknown> };
}

/**
 * Whether the connections of a channel keep the process alive. The package holds the process while a call is open, and a stream to an agent is one for as long as
 * its program runs: it would not end by itself.
 */
export class ProcessHold {
  readonly #sockets = new Set<Socket>();
  #isLetGo: boolean;

  /** @param isLetGo whether they keep it alive from the beginning */
  constructor(isLetGo: boolean) {
    this.#isLetGo = isLetGo;
  }

  /** Lets the process end, whatever is open on these connections and on those to come. */
  letGo(): void {
    this.#isLetGo = true;
    for (const socket of this.#sockets) release(socket);
  }

  /** The same credentials, whose connections are known here. Where the package has another inside, they are left as they are, and hold the process. */
  over(credentials: ChannelCredentials): ChannelCredentials {
    const make = (credentials as Connecting)._createSecureConnector;
    if (typeof make !== "function") return credentials;
    const create: typeof make = (...given) => {
      const connector = make.apply(credentials, given);
      const connect = (socket: Socket): Promise<unknown> => {
        this.#sockets.add(socket);
        socket.once("close", () => this.#sockets.delete(socket));
        if (this.#isLetGo) release(socket);
        return connector.connect(socket);
      };
      return Object.assign(Object.create(connector) as typeof connector, { connect });
    };
    return Object.assign(Object.create(credentials) as ChannelCredentials, { _createSecureConnector: create });
  }
}

/** The package takes hold of a session again with each call on it. */
function release(socket: Socket): void {
  socket.unref();
  socket.ref = () => socket;
}
