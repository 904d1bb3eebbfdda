import type { Connector } from "./undici.ts";

/** The parser that undici keeps for a connection, as far as it is used here. */
interface Parser {
  statusCode: number;
  /** The header of the response that is being read. */
  contentLength: string;
  onMessageComplete(): unknown;
}

/**
 * A connector on whose connections a 204 or 304 has no content, whatever length its head tells (RFC 9110 §6.4.1, §8.6): that of a 304 belongs
 * to the answer to a request without a condition. undici waits for no content either, but misses it then, and ends the connection.
 */
export function withoutContent(connector: Connector): Connector {
  return (target, callback) =>
    connector(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      // undici makes the parser when it is given the socket.
      callback(null, socket);
      const parser = parserOf(socket);
      if (parser === undefined) return;
      const complete = parser.onMessageComplete;
      parser.onMessageComplete = () => {
        if (parser.statusCode === 304 || parser.statusCode === 204) parser.contentLength = "";
        return complete.call(parser);
      };
    });
}

/** undici keeps the parser of a socket under a symbol. Without one the connection works as with undici alone. */
function parserOf(socket: object): Parser | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "parser");
  const parser = symbol && (socket as Record<symbol, unknown>)[symbol];
  return typeof (parser as Partial<Parser> | undefined)?.onMessageComplete === "function" ? (parser as Parser) : undefined;
}
