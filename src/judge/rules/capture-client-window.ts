import { capturedStallsBy } from '../captured.ts';

export const captureClientWindow = capturedStallsBy({
  id: 'capture-client-window',
  about: 'Do clients read captured answers fast enough to keep their receive window open?',
  pillar: 'speed',
  causes: ['receiver-window'],
  by: 'a closed window of the client',
  remedy:
    'the client does not read what has come: give it CPU, do not block its event loop while it renders, and give its socket more room (Linux: net.ipv4.tcp_rmem, no SO_RCVBUF of its own)',
});
