import type { InstanceState } from "../../core/upstream.ts";
import { stateHealth } from "../health/health.ts";
import type { ServiceRow } from "../snapshot.ts";
import { el, setAttributes, setText, svg } from "./dom.ts";

const states: readonly InstanceState[] = ["available", "probing", "ejected", "unhealthy"];
const width = 96;

/** The number of endpoints in each state, as a bar and in words. */
export function endpointBar(): {
  readonly element: HTMLElement;
  update(row: Pick<ServiceRow, "endpoints" | "avoided" | "unconfirmed">): void;
} {
  const parts = states.map((state) => svg("rect", { class: stateHealth[state], y: 0, height: 6 }));
  const text = el("span");
  const drawing = svg("svg", { viewBox: `0 0 ${width} 6`, width, height: 6, class: "parts", "aria-hidden": "true" }, ...parts);
  return {
    element: el("div", { class: "endpoints" }, text, drawing),
    update({ endpoints, avoided, unconfirmed }) {
      const all = states.reduce((sum, state) => sum + endpoints[state], 0);
      let x = 0;
      states.forEach((state, index) => {
        const part = all === 0 ? 0 : (width * endpoints[state]) / all;
        setAttributes(parts[index] as Element, { x: x.toFixed(1), width: part.toFixed(1) });
        x += part;
      });
      const others = states.slice(1).flatMap((state) => (endpoints[state] === 0 ? [] : [`${endpoints[state]} ${state}`]));
      const kept = unconfirmed === 0 ? [] : [`${unconfirmed} unconfirmed`];
      const shunned = avoided === 0 ? [] : [`${avoided} avoided`];
      setText(text, [`${endpoints.available} of ${all}`, ...others, ...shunned, ...kept].join(", "));
    },
  };
}
