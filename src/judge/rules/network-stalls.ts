import { stallsBy } from '../stalls.ts';

export const networkStalls = stallsBy({
  id: 'network-stalls',
  about: 'Does the network hold up streams that the server wrote in time?',
  pillar: 'reliability',
  cause: 'network',
  remedy:
    'remove the loss or the queue on the way (see network-loss and network-jitter): each lost segment holds up every token behind it for at least one round trip, and for 200 ms or more when it was the last one in flight',
});
