import { type BodyReceiver, isForwarded, type ResponseBody } from "./body.ts";

/** Takes the chunks of a body, and is told how it goes on after a pause. */
export type PausingReceiver = BodyReceiver & { resumed?: (resume: () => void) => void };

/** Hands the chunks of a body to `receiver`, by whichever way the body has; one that a layer has put around it is read as a stream, at the same pace. */
export function forwardTo(body: ResponseBody, receiver: PausingReceiver): void {
  if (!isForwarded(body)) {
    void pump(body, receiver);
    return;
  }
  receiver.resumed?.(() => body.resume());
  body.forward(receiver);
}

async function pump(body: ResponseBody, receiver: PausingReceiver): Promise<void> {
  let goOn = (): void => {};
  receiver.resumed?.(() => goOn());
  try {
    for await (const chunk of body.stream()) {
      if (!receiver.take(chunk)) await new Promise<void>((resolve) => (goOn = resolve));
    }
    receiver.end(undefined);
  } catch (error) {
    receiver.end(error);
  }
}
