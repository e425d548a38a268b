import { once } from 'node:events';
import { PatternBook } from '../../gather/capture/patterns/book.ts';
import type { SitePrefix } from '../../gather/capture/patterns/direction.ts';
import { RecordPatterns } from '../../gather/capture/patterns/records.ts';
import { collectFlows } from '../../gather/flow-export/collect.ts';
import { deadlineOf } from '../../wire/deadline.ts';
import type { CaptureFlowsReport } from '../../model/capture/collection-report.ts';
import { renderCaptureFlowsText } from '../../report/capture-flows-text.ts';
import { withPort } from '../../stats/address.ts';
import type { Io } from '../../wire/io.ts';
import { type ExitCode, exitCode, UsageError } from '../command.ts';
import { version } from '../version.ts';
import type { Form } from './output.ts';

export interface CollectFlags {
  listen: readonly { host: string; port: number }[];
  durationS: number | undefined;
  form: Form;
  prefixes: readonly SitePrefix[];
}

/** `--listen`: flow exports until Ctrl-C or the end of the time, then what they told. */
export async function collectRecords({ listen, durationS, form, prefixes }: CollectFlags, io: Io): Promise<ExitCode> {
  const { clock, terminal, signals } = io;
  const beganMs = clock.monoMs();
  const sums = { records: 0, octets: 0, packets: 0, sampled: false };
  const book = new PatternBook<string>({ prefixes, startEpochMs: 0, seed: io.random.next() * 2 ** 32 });
  const patterns = new RecordPatterns(book);
  const collector = await collectFlows(
    { listen: listen.map(({ host, port }) => ({ address: host, port })) },
    {
      flow: (record) => {
        sums.records += 1;
        sums.octets += record.octets;
        sums.packets += record.packets;
        sums.sampled ||= record.sampling.everyPackets > 1;
        patterns.add(record);
        if (form === 'lines') terminal.out(`${JSON.stringify({ line: 'record', ...record })}\n`);
      },
    },
    io,
  ).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--listen: ${error.message}`);
  });
  const places = collector.local.map(({ address, port }) => withPort(address, port)).join(', ');
  terminal.err(`listening on ${places}${durationS === undefined ? '; Ctrl-C ends it' : ` for ${durationS} s`}\n`);
  const show = terminal.stderrIsTty ? setInterval(() => terminal.err(`\r\u001b[2K${sums.records} records`), 500) : null;
  await until(signals.interrupted, durationS);
  if (show) {
    clearInterval(show);
    terminal.err('\r\u001b[2K');
  }
  const collection = await collector.counts();
  await collector.close();
  patterns.finish();
  const report: CaptureFlowsReport = {
    schema: 'inferpath/capture-flows@1',
    version,
    durationMs: Math.round(clock.monoMs() - beganMs),
    collection,
    ...sums,
    toldAgain: patterns.again,
    patterns: book.finish(),
    interrupted: signals.interrupted.aborted,
  };
  if (form === 'json') terminal.out(`${JSON.stringify(report)}\n`);
  else if (form === 'lines') terminal.out(`${JSON.stringify({ line: 'capture', ...report })}\n`);
  else terminal.out(renderCaptureFlowsText(report, { columns: terminal.columns, colors: terminal.colors }));
  if (report.interrupted) return exitCode.interrupted;
  return sums.records > 0 ? exitCode.ready : exitCode.couldNotMeasure;
}

async function until(interrupted: AbortSignal, durationS: number | undefined): Promise<void> {
  const deadline = durationS === undefined ? null : deadlineOf(interrupted, durationS * 1000);
  const signal = deadline?.signal ?? interrupted;
  if (!signal.aborted) await once(signal, 'abort');
  deadline?.clear();
}
