import type * as undici from "undici";
import methods from "undici/lib/api/index.js";
import connect from "undici/lib/core/connect.js";
import undiciErrors from "undici/lib/core/errors.js";
import agent from "undici/lib/dispatcher/agent.js";
import client from "undici/lib/dispatcher/client.js";
import dispatcher from "undici/lib/dispatcher/dispatcher.js";
import h2cClient from "undici/lib/dispatcher/h2c-client.js";
import pool from "undici/lib/dispatcher/pool.js";

// The classes of undici that the mesh uses, from their own files. The package's index loads fetch, caches, mocks and a SQLite store beside
// them, which is two thirds of its cost, and sets the global dispatcher.

/** Sends requests to one origin over several connections. */
export const Pool: typeof undici.Pool = pool;
export type Pool = undici.Pool;

/** Sends requests over one connection. */
export const Client: typeof undici.Client = client;
export type Client = undici.Client;

/** Sends requests over one HTTP/2 connection without TLS. */
export const H2CClient: typeof undici.H2CClient = h2cClient;
export type H2CClient = undici.H2CClient;

/** Sends requests to any origin. */
export const Agent: typeof undici.Agent = agent;
export type Agent = undici.Agent;

/** The base class of all that sends requests. */
export const Dispatcher: typeof undici.Dispatcher = dispatcher;
export type Dispatcher = undici.Dispatcher;
/** A request, as {@link Dispatcher} takes it. */
export type DispatchOptions = undici.Dispatcher.DispatchOptions;
/** The receiver of a response, as {@link Dispatcher} takes it. */
export type DispatchHandler = undici.Dispatcher.DispatchHandler;
/** `request`, `stream`, `pipeline`, `upgrade` and `connect`, which undici's index adds to {@link Dispatcher}. */
export const dispatcherMethods: Pick<Dispatcher, "request" | "stream" | "pipeline" | "upgrade" | "connect"> = methods;

/** Makes the function that opens the sockets of a {@link Client}. */
export const buildConnector: typeof undici.buildConnector = connect;
/** Opens a socket. */
export type Connector = undici.buildConnector.connector;

/** The classes of undici's errors. */
export const errors: typeof undici.errors = undiciErrors;
