import { EFD_NONBLOCK, EFD_CLOEXEC } from '../wire/abi.ts';
import { parentPort, workerData } from 'node:worker_threads';
import { check, libc } from '../wire/libc.ts';
import { hostNames, type Counters } from './counters.ts';
import { closeDevices, kernelDrops, openDevices } from './devices.ts';
import { forward } from './forwarder.ts';
import type { Plan } from './plan.ts';

/** What the thread is given, and the one message it sends. */
export interface ForwarderInput {
  plan: Plan;
  counters: Counters;
}
export type ForwarderMessage =
  | { kind: 'ready'; namespaces: number[]; wakeUp: number }
  | { kind: 'failed'; message: string };

function main({ plan, counters }: ForwarderInput): void {
  const devices = openDevices(plan.nodes.filter((node) => node.kind === 'host'));
  const wakeUp = check(libc().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 'eventfd');
  try {
    tell({ kind: 'ready', namespaces: devices.map((device) => device.namespace), wakeUp });
    forward(plan, counters, devices, wakeUp);
    kernelDrops(devices).forEach((drops, host) => {
      counters.hosts[host * hostNames.length + 2] = drops;
    });
  } finally {
    closeDevices(devices);
    libc().close(wakeUp);
  }
}

function tell(message: ForwarderMessage): void {
  parentPort?.postMessage(message);
}

if (parentPort) {
  try {
    main(workerData as ForwarderInput);
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}
