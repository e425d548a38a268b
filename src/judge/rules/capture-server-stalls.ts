import { capturedStallsBy } from '../captured.ts';

export const captureServerStalls = capturedStallsBy({
  id: 'capture-server-stalls',
  about: 'Does the model server itself pause in captured answers?',
  pillar: 'reliability',
  causes: ['server'],
  by: 'the server',
  remedy:
    'the network cannot fix this: nothing was missing and the window was open. Look at batching, preemption of requests and CPU of the model server, and at what stands between it and the socket',
});
