import { capturedStallsBy } from '../captured.ts';

export const captureNagle = capturedStallsBy({
  id: 'capture-nagle',
  about: 'Do small packets of captured answers wait for delayed acknowledgements?',
  pillar: 'speed',
  causes: ['nagle'],
  by: 'Nagle and a delayed acknowledgement',
  remedy: 'set TCP_NODELAY on the socket that writes the answer (most servers of HTTP do; proxies of your own may not)',
});
