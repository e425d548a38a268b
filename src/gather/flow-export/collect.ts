import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { ExporterCounts, FlowCollection, FlowRecord } from '../../model/capture/flow-record.ts';
import { type FlowExportDecoder, flowExportDecoder } from '../../wire/flow-export/decoder.ts';
import type { InterfaceCounters } from '../../wire/flow-export/flow.ts';
import type { ExportSession } from '../../wire/flow-export/session.ts';
import type { Clock, Files } from '../../wire/io.ts';
import { kernelDrops } from './kernel-drops.ts';
import { countsOf, toRecord } from './to-record.ts';

export interface CollectOptions {
  /** Where to listen; port 0: any free one. */
  listen: readonly { address: string; port: number }[];
  /** Whether to read what an address sends; default: everybody. Whoever may send can also make flows up: UDP proves no sender. */
  accepts?: (address: string) => boolean;
}

/** Called as the datagrams come, never twice at once; what it is given is its own to keep. */
export interface CollectSink {
  flow(record: FlowRecord): void;
  /** Counters of an interface from an sFlow agent; the object holds until the call is over. */
  counters?(counters: InterfaceCounters, exporter: ExporterCounts, atMs: number): void;
}

export interface FlowCollector {
  /** Where it listens, with the ports that were free. */
  local: readonly { address: string; port: number }[];
  /** What came so far. */
  counts(): Promise<FlowCollection>;
  close(): Promise<void>;
}

/** Asked of the kernel as queue between it and us; it grants as much as net.core.rmem_max lets it. */
const receiveBufferBytes = 8 << 20;

/**
 * Listens for flow exports and gives their flows to `sink`. It answers nothing and looks no address up. The only queue is the kernel's:
 * what does not fit is dropped there and counted, so memory does not grow when exporters are faster than we are.
 * @throws the error of bind(), with its address
 */
export async function collectFlows(
  { listen, accepts = () => true }: CollectOptions,
  sink: CollectSink,
  io: { clock: Pick<Clock, 'wallMs'>; fs: Pick<Files, 'readText'> },
): Promise<FlowCollector> {
  const tally = { datagrams: 0, foreign: 0, refused: 0, forgotten: 0 };
  const decoder = flowExportDecoder({
    flow: (flow, session) => sink.flow(toRecord(flow, session)),
    counters: (counters, session) => sink.counters?.(counters, countsOf(session), session.lastMs),
    gone: () => {
      tally.forgotten += 1;
    },
  });
  const take = (bytes: Buffer, from: RemoteInfo) => {
    const address = plain(from.address);
    tally.datagrams += 1;
    if (!accepts(address)) tally.refused += 1;
    else if (decoder.datagram(bytes, address, from.port, io.clock.wallMs()) === null) tally.foreign += 1;
  };
  const sockets: Socket[] = [];
  const close = async () => {
    await Promise.all(sockets.splice(0).map((socket) => closed(socket)));
  };
  try {
    for (const { address, port } of listen) sockets.push(await open(address, port, take));
  } catch (error) {
    await close();
    throw error;
  }
  const local = sockets.map((socket) => socket.address()).map(({ address, port }) => ({ address, port }));
  const granted = Math.min(...sockets.map((socket) => socket.getRecvBufferSize()));
  return {
    local,
    close,
    counts: async () => ({
      listen: [...local],
      datagrams: tally.datagrams,
      foreign: tally.foreign,
      refused: tally.refused,
      kernelDrops: await kernelDrops(
        io.fs,
        local.map(({ port }) => port),
      ),
      receiveBufferBytes: granted,
      exporters: exportersOf(decoder),
      exportersForgotten: tally.forgotten,
      templatesEvicted: decoder.evictedTemplates,
    }),
  };
}

function exportersOf(decoder: FlowExportDecoder): ExporterCounts[] {
  const order = ({ address, port, domain }: ExportSession) => `${address} ${port} ${domain}`;
  return [...decoder.sessions()].sort((a, b) => (order(a) < order(b) ? -1 : 1)).map(countsOf);
}

async function open(address: string, port: number, take: (bytes: Buffer, from: RemoteInfo) => void): Promise<Socket> {
  const socket = createSocket({
    type: isIPv6(address) ? 'udp6' : 'udp4',
    // Both families on one socket are for those who ask for both.
    ipv6Only: isIPv6(address),
    recvBufferSize: receiveBufferBytes,
  });
  socket.on('message', take);
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
    // Later errors are of single datagrams, and none is ever sent.
    socket.on('error', () => undefined);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((done) => socket.close(() => done()));
}

/** Without the interface of a link-local sender. */
function plain(address: string): string {
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}
