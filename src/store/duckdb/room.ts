import { statfs } from 'node:fs/promises';
import { StoreFullError } from '../full.ts';

const MIB = 2 ** 20;
const MOST_RESERVED = 256 * MIB;

/** Free space on the medium of a store, and how much of it samples do not get. */
export interface Room {
  freeBytes: number;
  reservedBytes: number;
}

/**
 * The medium of the store. Samples are the first to be refused: agents keep theirs, while states of alerts, pages and roll-ups have
 * nowhere else to go, and the engine needs room to tidy up. So a full disk costs no page.
 */
export class Disk {
  readonly #folder: string;
  readonly #reserveBytes: number | null;

  /** @param reserveBytes null: a twentieth of the medium, at most 256 MiB */
  constructor(folder: string, reserveBytes: number | null) {
    this.#folder = folder;
    this.#reserveBytes = reserveBytes;
  }

  async room(): Promise<Room> {
    const { bavail, bsize, blocks } = await statfs(this.#folder);
    const reservedBytes = this.#reserveBytes ?? Math.min(MOST_RESERVED, Math.floor((blocks * bsize) / 20));
    return { freeBytes: bavail * bsize, reservedBytes };
  }

  /**
   * @returns free octets
   * @throws StoreFullError when samples have had their share
   */
  async admit(): Promise<number> {
    const { freeBytes, reservedBytes } = await this.room();
    if (freeBytes > reservedBytes || reservedBytes === 0) return freeBytes;
    const mib = (bytes: number) => `${Math.floor(bytes / MIB)} MiB`;
    throw new StoreFullError(
      `the disk of the store has ${mib(freeBytes)} left, and ${mib(reservedBytes)} are kept for alerts and tidying up`,
    );
  }
}
