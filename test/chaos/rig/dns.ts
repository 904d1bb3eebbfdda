import type { Answer } from "dns-packet";
import type { DnsOptions } from "../../../src/discovery/dns/dns.ts";
import { answerTo, type Responder, record, type Said, startResponder } from "../../discovery/dns/dns-responder.ts";
import { freePorts } from "../../servers/ports.ts";
import type { InstanceConfig } from "./instance-config.ts";
import { now } from "./now.ts";
import type { Instance, World } from "./world.ts";

/** A DNS server in which the instances of `shop` are listed by their addresses, and that can be made to say anything. */
export interface DnsShop {
  readonly instances: readonly Instance[];
  /** When it was asked for A records. */
  readonly asked: readonly number[];
  listed: readonly Instance[];
  ttlS: number;
  /** What to say instead; undefined: the truth. */
  script: ((number: number) => Wrong | undefined) | undefined;
  /** The number of addresses that it gives by UDP, other ones each time; by TCP it gives all. */
  shownByUdp: number;
  /** Whether it answers nothing at all to queries for AAAA records. */
  isSilentAboutV6: boolean;
}

/** What a DNS server should not say. */
export type Wrong = { readonly rcode: number } | "silence" | "garbage" | "wrong-id";

/** Codes of RFC 1035 §4.1.1. */
export const rcodes = { servfail: 2, nxdomain: 3, refused: 5 } as const;

/** Starts one with `count` instances on addresses of their own and one port, which the clients of this world find there. */
export async function dnsShop(
  world: World,
  count: number,
  listed = count,
  options: DnsOptions = {},
  config: Partial<InstanceConfig> = {},
): Promise<DnsShop> {
  const [port = 0] = await freePorts(1);
  const instances: Instance[] = [];
  for (let index = 0; index < count; index++) {
    instances.push(...(await world.shop(1, { ...config, host: `127.0.0.${11 + index}`, port }, 0)));
  }
  const asked: number[] = [];
  const responder = world.own(
    await startResponder((question): Said => {
      if (question.type === "AAAA" && shop.isSilentAboutV6) return undefined;
      if (question.type !== "A") return { answers: [] };
      const number = asked.push(now()) - 1;
      const wrong = shop.script?.(number);
      if (wrong === "silence") return undefined;
      if (wrong === "garbage") return Buffer.from([question.id >> 8, question.id & 255, 0x81, 0x80, 0, 9, 0, 9, 1, 2, 3]);
      const shown = question.transport === "tcp" ? shop.listed : rotated(shop.listed, number).slice(0, shop.shownByUdp);
      const answers = shown.map(({ endpoint }): Answer => record("A", question.name, endpoint.host, shop.ttlS));
      if (wrong === "wrong-id") {
        const bytes = answerTo(question, { answers });
        bytes.writeUInt16BE((question.id + 1) & 0xffff, 0);
        return bytes;
      }
      return wrong === undefined ? { answers } : { rcode: wrong.rcode };
    }),
  );
  const shop: DnsShop = {
    instances,
    asked,
    listed: instances.slice(0, listed),
    ttlS: 1,
    script: undefined,
    shownByUdp: Infinity,
    isSilentAboutV6: false,
  };
  world.load = {
    discovery: { kind: "dns", options: { type: "A", port, name: "{service}.test", servers: [responder.address], ...options } },
  };
  return shop;
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const start = by % Math.max(1, list.length);
  return [...list.slice(start), ...list.slice(0, start)];
}

/** Says which names there are under `_shop._tcp.test`. */
export async function srvResponder(world: World, answers: () => readonly Answer[]): Promise<Responder> {
  return world.own(
    await startResponder(({ type, name }): Said => {
      if (type === "SRV") return { answers: [...answers()] };
      return { answers: type === "A" ? [record("A", name, "127.0.0.1", 1)] : [] };
    }),
  );
}
