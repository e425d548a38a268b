import { capturedStallsBy } from '../captured.ts';

export const captureBuffering = capturedStallsBy({
  id: 'capture-buffering',
  about: 'Do captured answers come chunk by chunk, or held back and many at once?',
  pillar: 'speed',
  causes: ['buffering'],
  by: 'a buffer that let many chunks go at once',
  remedy:
    'turn off response buffering on what stands between model server and tap (nginx: proxy_buffering off, or X-Accel-Buffering: no from the server; no compression of text/event-stream), or flush each chunk in the server',
});
