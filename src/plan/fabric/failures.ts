import type { FabricFailure } from '../../model/plan/fabric.ts';
import { bisectionGbps, type Rates } from './bisection.ts';
import type { Clos } from './clos.ts';

interface Hosts {
  nicsPerNode: number;
  nicsPerGpu: number;
  rails: number;
}

/** What one switch of each tier takes with it. */
export function fabricFailures(clos: Clos, rates: Rates, hosts: Hosts): FabricFailure[] {
  return [
    leafFails(clos, rates, hosts),
    ...(clos.tiers > 1 ? [spineFails(clos, rates)] : []),
    ...(clos.tiers > 2 ? [coreFails(clos, rates)] : []),
  ];
}

function leafFails(clos: Clos, rates: Rates, { nicsPerNode, nicsPerGpu, rails }: Hosts): FabricFailure {
  const lost = Math.ceil(rates.endpoints / clos.leaves);
  // On rails a leaf has one share of every node it serves; else whole nodes hang on one leaf.
  const perNode = rails > 1 ? nicsPerNode / rails : nicsPerNode;
  const nodesTouched = Math.min(Math.ceil(lost / perNode), Math.ceil(rates.endpoints / nicsPerNode));
  const gpusLost = rails > 1 && nicsPerGpu > 1 ? 0 : Math.floor(lost / nicsPerGpu);
  const left = { ...rates, endpoints: rates.endpoints - lost };
  const bisection = clos.leaves === 1 ? 0 : bisectionGbps(without(clos), left);
  const how =
    clos.leaves === 1
      ? 'everything stops'
      : rails > 1
        ? `${nodesTouched} nodes lose ${share(perNode / nicsPerNode)} of their NICs; their GPUs can use those of the other rails`
        : `${gpusLost} GPUs of ${nodesTouched} nodes are cut off`;
  return {
    of: 'leaf',
    endpointsLost: lost,
    gpusLost,
    nodesTouched,
    bisectionGbps: bisection,
    claim: `One leaf fails: ${how}`,
  };
}

/** One leaf less; of three tiers the pod that lost it keeps its size here, which errs by less than one leaf of capacity. */
function without(clos: Clos): Clos {
  return clos.tiers === 2 ? { ...clos, leaves: clos.leaves - 1 } : clos;
}

function spineFails(clos: Clos, rates: Rates): FabricFailure {
  const { spinesPerPod } = clos;
  const left = spinesPerPod - 1;
  // Of three tiers only one pod loses it; a half that contains the pod is taken as if every pod had, the cautious side.
  const bisection = left === 0 ? 0 : bisectionGbps({ ...clos, spinesPerPod: left }, rates);
  const where = clos.tiers === 3 ? 'the leaves of its pod' : 'every leaf';
  return {
    of: 'spine',
    endpointsLost: 0,
    gpusLost: 0,
    nodesTouched: 0,
    bisectionGbps: bisection,
    claim: `One spine fails: ${where} keeps ${share(left / spinesPerPod)} of its uplinks`,
  };
}

function coreFails(clos: Clos, rates: Rates): FabricFailure {
  const cores = clos.coresPerPlane;
  const whole = bisectionGbps(clos, rates);
  const poorer = cores === 1 ? 0 : bisectionGbps({ ...clos, coresPerPlane: cores - 1 }, rates);
  // One plane of several is poorer; the planes add up.
  const bisection = whole - (whole - poorer) / clos.spinesPerPod;
  return {
    of: 'core',
    endpointsLost: 0,
    gpusLost: 0,
    nodesTouched: 0,
    bisectionGbps: bisection,
    claim: `One core fails: one of ${clos.spinesPerPod} planes keeps ${share((cores - 1) / cores)} of its cores`,
  };
}

const share = (part: number): string => `${Math.round(part * 1000) / 10} %`;
