import { outsideOfCalls } from "../../core/async-context.ts";
import { loadPackages, type Packages } from "./packages.ts";
import { KeptStream, type StreamPlan } from "./streams/kept-stream.ts";

/** A stream that is loaded, opened and kept open in the background. */
export interface AgentWatch {
  /** Ends it; nothing is told afterwards. */
  close(): void;
}

/** The plan of a stream, once the packages are there, and the listener for the news that they are not. */
export interface AgentWatchPlan {
  plan(packages: Packages): StreamPlan;
  failed(error: Error): void;
}

/** Loads the packages and keeps the stream open until it is closed. Tells nothing before it returns. */
export function watchAgent({ plan, failed }: AgentWatchPlan): AgentWatch {
  let stream: KeptStream | undefined;
  let isClosed = false;
  outsideOfCalls(() =>
    loadPackages().then(
      (packages) => {
        if (!isClosed) stream = new KeptStream(plan(packages), packages.grpc);
      },
      (error: unknown) => {
        if (!isClosed) failed(error instanceof Error ? error : new Error(String(error)));
      },
    ),
  );
  return {
    close() {
      isClosed = true;
      stream?.close();
    },
  };
}
