/**
 * Calls `onSignal` upon the first of `signals`, and then `onSecond` upon a second one: Node.js ends the process by that, as it does without listeners,
 * unless the program listens to the signal too. Returns a function that stops listening.
 */
export function onSignals(
  signals: readonly NodeJS.Signals[],
  onSignal: (signal: NodeJS.Signals) => void,
  onSecond: () => void,
): () => void {
  let hasStopped = false;
  const listener = (signal: NodeJS.Signals): void => {
    if (!hasStopped) {
      hasStopped = true;
      onSignal(signal);
      return;
    }
    off();
    onSecond();
    // Without listeners of the program, the signal does what it does by itself: it ends the process.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const off = (): void => {
    for (const signal of signals) process.off(signal, listener);
  };
  for (const signal of signals) process.on(signal, listener);
  return off;
}
