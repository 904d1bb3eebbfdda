// Asks the registry at the port of the first argument for endpoints, as `registry-nonsense.test.ts` starts it, and prints how that ended.
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";

const origin = `http://127.0.0.1:${process.argv[2]}`;
const registries = { consul: consul({ url: origin }), eureka: eureka({ servers: [`${origin}/eureka`] }) };
for (const [name, registry] of Object.entries(registries)) {
  const stop = new AbortController();
  try {
    const { value } = await registry.watch("orders", stop.signal)[Symbol.asyncIterator]().next();
    console.log(`${name}: ${(value as { readonly endpoints: readonly unknown[] }).endpoints.length} endpoints`);
  } catch (error) {
    console.log(`${name}: ${(error as Error).message}`);
  }
  stop.abort();
  await registry.close?.();
}
