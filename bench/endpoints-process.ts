// A process, with --expose-gc: node endpoints-process.ts PICKER. Answers with the heap of ten thousand idle endpoints, before and after changes.
import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoint } from "../src/core/endpoint.ts";
import type { Picker } from "../src/extend.ts";
import { createMesh } from "../src/index.ts";
import { testRequest } from "../src/testing/index.ts";
import { answerParent } from "./children.ts";
import { type PickerCase, pickerCases } from "./picker-cases.ts";

/** Bytes on the heap beyond those of a mesh without endpoints. */
export interface EndpointsSample {
  readonly [field: string]: number;
  readonly endpoints: number;
  /** After each endpoint has gone and come back, and after that has happened again. */
  readonly afterOnce: number;
  readonly afterTwice: number;
}

export const many = 10_000;
const perChange = 100;
const changes = 100;
const warmUpChanges = 20;

async function used(): Promise<number> {
  // More than once: one collection finalizes objects that the next one frees, and closing takes turns of the event loop.
  for (let collection = 0; collection < 5; collection++) {
    globalThis.gc?.();
    await sleep(50);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const ids = Array.from({ length: many }, (_, index) => `instance-${index}`);

function listOf(without: number): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (let index = 0; index < many; index++) {
    const isOut = without >= 0 && index >= without && index < without + perChange;
    if (!isOut) endpoints.push({ id: ids[index] as string, host: "127.0.0.1", port: 1 + (index % 65_535), weight: 1 + (index % 7) });
  }
  return endpoints;
}

/** Picks without calling, so that the picker builds its state of the list: a call would open a connection, which is not idle. */
function picking(picker: Picker): Picker {
  const request = testRequest({ options: { hashKey: "key" } });
  return {
    update: (upstreams) => picker.update?.(upstreams),
    pick(upstreams) {
      picker.pick(upstreams, request);
      return undefined;
    },
    forService: (service, context) => picking(picker.forService?.(service, context) ?? picker),
  };
}

async function measure({ create }: PickerCase): Promise<EndpointsSample> {
  const picker = create();
  let publish: (list: readonly Endpoint[]) => void = () => {};
  let next = new Promise<readonly Endpoint[]>((resolve) => {
    publish = resolve;
  });
  let seen: () => void = () => {};
  const mesh = createMesh({
    discovery: {
      emptyPolicy: "trust",
      async *watch() {
        yield [];
        for (;;) {
          const list = await next;
          next = new Promise((resolve) => {
            publish = resolve;
          });
          yield list;
        }
      },
    },
    observers: [{ onEvent: ({ type }) => type === "endpoints" && seen() }],
    picker: picking(picker),
    retry: false,
    breaker: false,
  });
  const update = async (list: readonly Endpoint[]) => {
    const isSeen = new Promise<void>((resolve) => {
      seen = resolve;
    });
    publish(list);
    await isSeen;
    await mesh.fetch("bench/x").catch(() => {});
  };
  const changeAll = async (count: number) => {
    for (let change = 0; change < count; change++) {
      await update(listOf((change * perChange) % many));
      await update(listOf(-1));
    }
  };
  await mesh.fetch("bench/x").catch(() => {});
  // Code that runs for the first time takes memory that is not the endpoints'.
  await update(listOf(-1));
  await changeAll(warmUpChanges);
  await update([]);
  const empty = await used();
  await update(listOf(-1));
  const endpoints = (await used()) - empty;
  await changeAll(changes);
  const afterOnce = (await used()) - empty;
  await changeAll(changes);
  const afterTwice = (await used()) - empty;
  await mesh.close();
  return { endpoints, afterOnce, afterTwice };
}

if (import.meta.main) {
  const [name = ""] = process.argv.slice(2);
  const found = pickerCases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no case is called ${JSON.stringify(name)}`);
  answerParent<"measure", EndpointsSample>({ endpoints: 0, afterOnce: 0, afterTwice: 0 }, () => measure(found));
}
