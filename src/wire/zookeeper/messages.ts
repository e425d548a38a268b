import { bool, buffer, int, type Jute, JuteError, JuteReader, long, text, vector } from './jute.ts';

/** The part of ZooKeeper's protocol (zookeeper.jute, 3.4 and later; ClickHouse Keeper speaks it, too) that documents need. */
export const opcode = {
  create: 1,
  delete: 2,
  getData: 4,
  setData: 5,
  getChildren: 8,
  sync: 9,
  ping: 11,
  check: 13,
  multi: 14,
  auth: 100,
  close: -11,
} as const;

/** Numbers of requests below zero have a meaning of their own. */
export const xid = { event: -1, ping: -2, auth: -4 } as const;

/** Errors by which a server says what is; others are faults. */
export const zkError = { noNode: -101, noAuth: -102, badVersion: -103, nodeExists: -110, notEmpty: -111 } as const;

export const errorName = (code: number): string =>
  ({
    [-4]: 'connection lost',
    [-5]: 'marshalling error (a message that is too large, perhaps)',
    [-6]: 'not implemented by this server',
    [-8]: 'bad arguments',
    [-101]: 'no such node',
    [-102]: 'not allowed (ACL)',
    [-103]: 'another version',
    [-110]: 'the node exists',
    [-111]: 'the node has children',
    [-112]: 'session expired',
    [-115]: 'authentication failed',
    [-118]: 'session moved to another server',
    [-125]: 'quota exceeded',
    [-127]: 'throttled',
  })[code] ?? `error ${code}`;

export interface NodeStat {
  /** 0 at first; one more with every change of the data. */
  version: number;
  createdMs: number;
  /** Of the data, by the clock of the server that led then. */
  changedMs: number;
}

/** Who may do what with a node: everything, by anybody or by whoever is authenticated as its maker. */
export type Access = 'world' | 'creator';

const everything = 31;
const acl = (access: Access): Jute =>
  vector(
    Buffer.concat(
      access === 'creator'
        ? [int(everything), text('auth'), text('')]
        : [int(everything), text('world'), text('anyone')],
    ),
  );

/** One change of a multi. */
export type Op =
  | { op: 'create'; path: string; data: Uint8Array; access: Access; ephemeral?: boolean }
  | { op: 'set'; path: string; data: Uint8Array; version: number }
  | { op: 'delete'; path: string; version: number }
  | { op: 'check'; path: string; version: number };

const typeOf = { create: opcode.create, set: opcode.setData, delete: opcode.delete, check: opcode.check } as const;

function writeOp(op: Op): Jute {
  if (op.op === 'create')
    return Buffer.concat([text(op.path), buffer(op.data), acl(op.access), int(op.ephemeral === true ? 1 : 0)]);
  if (op.op === 'set') return Buffer.concat([text(op.path), buffer(op.data), int(op.version)]);
  return Buffer.concat([text(op.path), int(op.version)]);
}

export function writeMulti(ops: readonly Op[]): Jute {
  const parts = ops.flatMap((op) => [int(typeOf[op.op]), bool(false), int(-1), writeOp(op)]);
  return Buffer.concat([...parts, int(-1), bool(true), int(-1)]);
}

export const writePath = (path: string): Jute => text(path);
export const writeRead = (path: string, watch: boolean): Jute => Buffer.concat([text(path), bool(watch)]);
export const writeAuth = (userAndPassword: string): Jute =>
  Buffer.concat([int(0), text('digest'), buffer(Buffer.from(userAndPassword, 'utf8'))]);

export interface Session {
  id: bigint;
  password: Uint8Array;
  timeoutMs: number;
}

export function writeConnect(session: Session, lastZxid: bigint): Jute {
  const { id, password, timeoutMs } = session;
  return Buffer.concat([int(0), long(lastZxid), int(timeoutMs), long(id), buffer(password), bool(false)]);
}

/** @returns null when the server knows the session no more @throws JuteError */
export function readConnect(octets: Uint8Array): Session | null {
  const reader = new JuteReader(octets);
  reader.int();
  const timeoutMs = reader.int();
  const id = reader.long();
  const password = Uint8Array.from(reader.buffer());
  return timeoutMs > 0 ? { id, password, timeoutMs } : null;
}

export interface Reply {
  xid: number;
  zxid: bigint;
  error: number;
  body: JuteReader;
}

/** @throws JuteError */
export function readReply(octets: Uint8Array): Reply {
  const body = new JuteReader(octets);
  return { xid: body.int(), zxid: body.long(), error: body.int(), body };
}

/** Something that was watched has changed. @returns its path; null when only the state of the session is told @throws JuteError */
export function readEvent(body: JuteReader): string | null {
  const type = body.int();
  body.int();
  const path = body.text();
  return type >= 1 && type <= 4 ? path : null;
}

/** @throws JuteError */
export function readData(body: JuteReader): { data: Uint8Array; stat: NodeStat } {
  const data = Uint8Array.from(body.buffer());
  return { data, stat: readStat(body) };
}

/** @throws JuteError */
export const readChildren = (body: JuteReader): string[] => body.vector(() => body.text());

function readStat(body: JuteReader): NodeStat {
  body.long();
  body.long();
  const createdMs = Number(body.long());
  const changedMs = Number(body.long());
  const version = body.int();
  body.int();
  body.int();
  body.long();
  body.int();
  body.int();
  body.long();
  return { version, createdMs, changedMs };
}

/** What became of a multi: all of it, or nothing because one of its changes could not be made. */
export type MultiResult = { done: true } | { done: false; index: number; error: number };

/** Says of a change only that it was not made because of another. */
const runtimeInconsistency = -2;

/** @param count changes that were asked for @throws JuteError */
export function readMulti(body: JuteReader, count: number): MultiResult {
  let failed: { index: number; error: number } | null = null;
  for (let index = 0; ; index++) {
    const type = body.int();
    const isEnd = body.bool();
    body.int();
    if (isEnd) {
      if (index !== count) throw new JuteError(`expected ${count} results, found ${index}`);
      return failed ? { done: false, ...failed } : { done: true };
    }
    if (index >= count) throw new JuteError(`expected ${count} results, found more`);
    if (type === opcode.create) body.text();
    else if (type === opcode.setData) readStat(body);
    else if (type === -1) {
      const error = body.int();
      if (error !== 0 && (failed === null || failed.error === runtimeInconsistency)) failed = { index, error };
    } else if (type !== opcode.delete && type !== opcode.check)
      throw new JuteError(`expected a result of a change, found type ${type}`);
  }
}
