import type { RoceReport } from '../../../model/capture/roce.ts';
import type { Packet } from '../../../wire/packet/packet.ts';
import { rocePort } from '../../../wire/roce.ts';
import { FlowFeatures } from './features.ts';
import { SeriesPool } from './rate-series.ts';
import { RoceTable } from './roce.ts';

/** What packets told for the patterns beside the features of their flows. */
export interface TapSums {
  /** Large flows for which there was no series left. */
  refusedSeries: number;
  roce: RoceReport;
}

/** Where the patterns see packets: one for each thread that has some. */
export class PacketTap {
  readonly roce: RoceTable;
  readonly #pool = new SeriesPool();

  constructor(seed = 0) {
    this.roce = new RoceTable({ seed });
  }

  begin(): FlowFeatures {
    return new FlowFeatures(this.#pool);
  }

  /** A packet of UDP, in the order of the capture: RDMA goes over it, and answers what came the other way. */
  datagram(packet: Packet, timeMs: number, tap: number): void {
    if (packet.destinationPort === rocePort) this.roce.add(packet, timeMs, tap);
  }

  sums(): TapSums {
    return { refusedSeries: this.#pool.refused, roce: this.roce.report() };
  }
}
