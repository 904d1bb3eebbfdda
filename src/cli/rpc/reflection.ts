import { rpcStatus, rpcStatusName } from "../../core/rpc/rpc-status.ts";
import type { Mesh, MeshRequestInit } from "../../index.ts";
import type { Protobuf } from "./protobuf.ts";
import { exchangeRpc } from "./rpc-exchange.ts";

/** The versions of the reflection service, the current one first. */
const versions = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"] as const;
/** The most files of one service: a loop of names ends. */
const maxFiles = 1_000;

/** The fields of a request of the protocol. */
const ask = { fileByName: 3, fileOfSymbol: 4, listServices: 7 } as const;

/** The service of the mesh has no reflection. */
export class NoReflection extends Error {}

/** The instance knows no such name. */
export class UnknownSymbol extends Error {}

/** Descriptors by `grpc.reflection.v1`, or `v1alpha` where there is no other. */
export class Reflection {
  readonly #protobuf: Protobuf;
  readonly #mesh: Mesh;
  readonly #service: string;
  readonly #init: MeshRequestInit;
  #version: string | undefined = undefined;

  constructor(protobuf: Protobuf, mesh: Mesh, service: string, init: MeshRequestInit) {
    this.#protobuf = protobuf;
    this.#mesh = mesh;
    this.#service = service;
    this.#init = init;
  }

  /** The names of the services that the instance shows. */
  async services(): Promise<readonly string[]> {
    const { BinaryReader } = this.#protobuf.wire;
    const names: string[] = [];
    for (const { field, bytes } of await this.#ask(ask.listServices, "")) {
      if (field !== 6) continue;
      for (const service of fieldsOf(new BinaryReader(bytes), this.#protobuf))
        for (const { field: inner, bytes: name } of fieldsOf(new BinaryReader(service.bytes), this.#protobuf))
          if (inner === 1) names.push(Buffer.from(name).toString("utf8"));
    }
    return names;
  }

  /**
   * The files that define a service, with all that they import, as protobuf has them.
   * @throws NoReflection, UnknownSymbol
   */
  async filesOf(symbol: string): Promise<readonly Uint8Array[]> {
    const { fromBinary, FileDescriptorProtoSchema } = this.#protobuf;
    const files = new Map<string, Uint8Array>();
    const wanted: string[] = [];
    const take = (bytes: Uint8Array): void => {
      const { name, dependency } = fromBinary(FileDescriptorProtoSchema, bytes);
      if (files.has(name)) return;
      files.set(name, bytes);
      wanted.push(...dependency);
    };
    for (const bytes of await this.#files(ask.fileOfSymbol, symbol)) take(bytes);
    for (let next = wanted.pop(); next !== undefined && files.size < maxFiles; next = wanted.pop())
      if (!files.has(next)) for (const bytes of await this.#files(ask.fileByName, next)) take(bytes);
    return [...files.values()];
  }

  async #files(field: number, text: string): Promise<readonly Uint8Array[]> {
    const { BinaryReader } = this.#protobuf.wire;
    return (await this.#ask(field, text)).flatMap(({ field: found, bytes }) =>
      found === 4 ? fieldsOf(new BinaryReader(bytes), this.#protobuf).map((each) => each.bytes) : [],
    );
  }

  /** The fields of the answer to one question. */
  async #ask(field: number, text: string): Promise<readonly Field[]> {
    const { BinaryReader, BinaryWriter } = this.#protobuf.wire;
    const message = new BinaryWriter().tag(field, 2).string(text).finish();
    for (const version of this.#version === undefined ? versions : [this.#version]) {
      const target = `${this.#service}/${version}/ServerReflectionInfo`;
      const { messages, end } = await exchangeRpc(this.#mesh, { target, messages: [message], init: this.#init });
      const answers: Uint8Array[] = [];
      for await (const each of messages) answers.push(each);
      const { code, message: why } = end();
      if (code === rpcStatus.UNIMPLEMENTED) continue;
      if (code !== rpcStatus.OK) throw new Error(`reflection of ${this.#service} failed: ${rpcStatusName(code)}: ${why}`);
      this.#version = version;
      const fields = answers.flatMap((each) => fieldsOf(new BinaryReader(each), this.#protobuf));
      // Its code and its message: only that it knows no such name is of use.
      if (fields.some((each) => each.field === 7)) throw new UnknownSymbol(text);
      return fields;
    }
    throw new NoReflection();
  }
}

/** A field with a length: all that is read of this protocol are such ones. */
interface Field {
  readonly field: number;
  readonly bytes: Uint8Array;
}

function fieldsOf(reader: InstanceType<Protobuf["wire"]["BinaryReader"]>, { wire: { WireType } }: Protobuf): readonly Field[] {
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) fields.push({ field, bytes: reader.bytes() });
    else reader.skip(type, field);
  }
  return fields;
}
