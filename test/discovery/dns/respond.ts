import { onTestFinished } from "vitest";
import { type Asked, type Responder, type Said, startResponder } from "./dns-responder.ts";

/** Starts a DNS server that answers as `script` says, and ends with the test. */
export async function respond(script: (asked: Asked) => Said): Promise<Responder> {
  const responder = await startResponder(script);
  onTestFinished(() => responder[Symbol.asyncDispose]());
  return responder;
}
