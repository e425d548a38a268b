import { capturedStallsBy } from '../captured.ts';

export const captureNetworkStalls = capturedStallsBy({
  id: 'capture-network-stalls',
  about: 'Do lost, late or overtaken packets hold up answers in captured traffic?',
  pillar: 'reliability',
  causes: ['loss', 'reordering', 'delay'],
  by: 'the network',
  remedy:
    'remove the loss or the queue on the side of the tap that capture-loss names; between your own hosts, also let the sender find losses sooner (Linux: RACK-TLP is on by default since 4.18; keep SACK and timestamps on)',
});
