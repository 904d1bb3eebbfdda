import type { Dispatch, Interceptor } from "../dispatch.ts";
import { dispatchOf, type Send, type Stage, sendOf } from "./stage.ts";

/** The way below a layer, in both forms: one is made of the other, so that layers of both can be put around it. */
export interface Way {
  readonly send: Send;
  readonly dispatch: Dispatch;
}

/** Puts layers of either form around `inner`; the first is the outermost. */
export function wayThrough(layers: readonly ({ readonly interceptor: Interceptor } | { readonly stage: Stage })[], inner: Dispatch): Way {
  return layers.reduceRight<Way>((next, layer) => {
    if ("interceptor" in layer) return wayOf(layer.interceptor(next.dispatch));
    const send = layer.stage(next.send);
    return { send, dispatch: dispatchOf(send) };
  }, wayOf(inner));
}

function wayOf(dispatch: Dispatch): Way {
  return { dispatch, send: sendOf(dispatch) };
}
