import type { Worker } from 'node:worker_threads';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '../abi.ts';
import { check, libc, memory } from '../libc.ts';
import { closeSocket, localAddress, openListener } from '../mover/sockets.ts';
import { startWorker } from '../worker.ts';

export interface ListenerSetup {
  tcpFd: number;
  udpFd: number;
  wakeFd: number;
}

/** What the listening thread tells. The descriptor of a connection belongs to whoever takes the message. */
export type FromListener =
  | { kind: 'connection'; fd: number; cookie: string; address: string; port: number }
  /** Somebody who said nothing, or no cookie; closed already. */
  | { kind: 'dropped'; address: string; reason: 'no cookie in time' | 'no cookie' | 'closed' | 'too many' }
  /** Four octets by UDP: a client opens a stream. */
  | { kind: 'hello'; address: string; port: number };

/** One TCP and one UDP port of the same number, watched by a thread; it also answers our echo, whatever the main thread does. */
export class IperfListener {
  readonly address: string;
  readonly port: number;
  readonly #setup: ListenerSetup;
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;

  /** @throws SystemCallError when an address cannot be bound */
  constructor(at: { address: string; port: number }, hear: (event: FromListener) => void) {
    const tcpFd = openListener(at, 'tcp');
    const bound = localAddress(tcpFd);
    this.address = bound?.address ?? at.address;
    this.port = bound?.port ?? at.port;
    let udpFd: number;
    try {
      udpFd = openListener({ address: at.address, port: this.port }, 'udp');
    } catch (error) {
      closeSocket(tcpFd);
      throw error;
    }
    const wakeFd = check(libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), 'eventfd');
    this.#setup = { tcpFd, udpFd, wakeFd };
    this.#worker = startWorker(import.meta.url, './listener.worker', { workerData: this.#setup });
    this.#worker.on('message', hear);
    this.#exited = new Promise((done) => this.#worker.once('exit', done));
  }

  async close(): Promise<void> {
    const one = memory(8);
    one.writeBigUInt64LE(1n);
    libc().write(this.#setup.wakeFd, one, 8);
    await this.#exited;
    for (const fd of Object.values(this.#setup)) closeSocket(fd);
  }
}
