const cleanups = new Set<() => void>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let installed = false;

const cleanUp = (): void => {
  // The last one first: a process is ended before its directory is removed.
  for (const cleanup of [...cleanups].reverse()) {
    cleanups.delete(cleanup);
    try {
      cleanup();
    } catch {
      // The others still have their turn.
    }
  }
};

const install = (): void => {
  if (installed) return;
  installed = true;
  process.once("exit", cleanUp);
  for (const signal of signals) {
    const onSignal = (): void => {
      // Somebody who handles the signal too may still need the servers (to deregister, say); "exit" follows then.
      if (process.listenerCount(signal) > 1) return;
      cleanUp();
      process.off(signal, onSignal);
      process.kill(process.pid, signal);
    };
    // First, because a listener added with once() is no longer counted when it has run.
    process.prependListener(signal, onSignal);
  }
};

/**
 * Promises that the synchronous `cleanup` runs when this process ends by return, exit, exception or an unhandled
 * SIGINT, SIGTERM or SIGHUP. Returns the function that takes the promise back.
 */
export const endWithUs = (cleanup: () => void): (() => void) => {
  install();
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
};
