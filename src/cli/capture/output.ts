import type { CaptureReport } from '../../model/capture/report.ts';
import type { Io } from '../../wire/io.ts';
import { bufferedOutput } from '../buffered-output.ts';
import { version } from '../version.ts';
import type { CaptureOutput } from './session.ts';

export type Form = 'text' | 'json' | 'lines';

export interface CaptureWriter extends CaptureOutput {
  /** Lines that are ready, for whoever reads along. */
  flush(): void;
  end(report: Omit<CaptureReport, 'flows' | 'schema' | 'version'>): void;
}

/** Conversations of one document, or objects a line, written as they come: there may be more of them than memory holds. */
export function captureOutput(form: Form, io: Io): CaptureWriter {
  let flows = 0;
  const output = bufferedOutput(io);
  const { write } = output;
  if (form === 'json') write(`{"schema":"inferpath/capture@1","version":${JSON.stringify(version)},"flows":[`);
  const line = (kind: string, of: object) => {
    if (form === 'lines') write(`${JSON.stringify({ line: kind, ...of })}\n`);
  };
  return {
    ...(form === 'lines' && {
      exchange: (flow, exchange) => line('exchange', { flow, ...exchange }),
      event: (flow, event) => line('event', { flow, ...event }),
    }),
    ...(form !== 'text' && {
      flow: ({ exchanges, ...flow }) => {
        if (form === 'json') write(`${flows === 0 ? '' : ','}\n${JSON.stringify({ ...flow, exchanges })}`);
        line('flow', { ...flow, exchanges: exchanges.length + flow.exchangesNotListed });
        flows += 1;
      },
    }),
    flush: output.flush,
    end: (report) => {
      if (form === 'json') write(`\n],${JSON.stringify(report).slice(1)}\n`);
      line('capture', report);
      output.flush();
    },
  };
}
