// An instance of gRPC: answers each call with its message, by a server of @grpc/grpc-js.
import * as grpc from "@grpc/grpc-js";
import { answerParent } from "./children.ts";

const same = (bytes: Buffer): Buffer => bytes;
const bytes = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const server = new grpc.Server();
server.addService(
  { Echo: { path: "/bench.Echo/Echo", requestStream: false, responseStream: false, ...bytes } },
  { Echo: (call: grpc.ServerUnaryCall<Buffer, Buffer>, told: grpc.sendUnaryData<Buffer>) => told(null, call.request) },
);
const port = await new Promise<number>((resolve, reject) =>
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  ),
);
answerParent(port, () => undefined);
