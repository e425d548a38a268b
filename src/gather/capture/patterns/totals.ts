import { rocePort } from '../../../wire/roce.ts';
import type { BothWays, FlowSummary } from './summary.ts';

/** What a record of NetFlow, IPFIX or sFlow tells of a flow, with its client already known. */
export interface FlowTotals {
  protocol: number;
  clientPort: number;
  serverPort: number;
  firstMs: number;
  lastMs: number;
  octets: BothWays;
  packets: BothWays;
}

/** A flow of which only totals are known: of the classes, those that need times of packets are out of the question. */
export function summaryOfTotals(totals: FlowTotals): FlowSummary {
  const isRdma = totals.protocol === 17 && (totals.serverPort === rocePort || totals.clientPort === rocePort);
  return { ...totals, isTls: false, isQuic: false, isRdma, detail: null };
}
