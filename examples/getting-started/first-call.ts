import { createMesh } from "inmesh";
import { consul } from "inmesh/consul";

const mesh = createMesh({ discovery: consul({ url: process.env["CONSUL_URL"] ?? "http://127.0.0.1:8500" }) });

for (let call = 0; call < 4; call++) {
  const response = await mesh.fetch("greeter/hello"); // service/path; a standard Response
  console.log(response.status, await response.text());
}

await mesh.close();
