import type { AgentStatus } from '../../model/agent-health.ts';
import { watchProbe } from '../../model/watch.ts';
import { renderMetrics } from '../../report/openmetrics.ts';
import { columnsOf } from '../../store/columns.ts';
import type { BareSample } from '../../store/sample-of.ts';
import type { Clock } from '../../wire/io.ts';
import { lineFamilies } from '../metrics/line-families.ts';
import { Meter } from '../metrics/meter.ts';
import { statusFamilies } from './health.ts';
import type { RunnableJob } from './jobs.ts';

/**
 * What an agent measures, and how it is, as the server would expose it: in the names, labels and units of `/metrics`, without the
 * server. For the textfile collector of node_exporter, so in the classic format.
 */
export class AgentMetrics {
  readonly #agent: string;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #meter = new Meter();

  constructor(agent: string, clock: Pick<Clock, 'wallMs'>) {
    this.#agent = agent;
    this.#clock = clock;
  }

  follow(jobs: readonly RunnableJob[]): void {
    const known = jobs.flatMap(({ endpoint, everyMs, probe: { kind } }) => {
      const probe = watchProbe.safeParse(kind).data;
      return probe === undefined ? [] : [{ endpoint, everyMs, probe }];
    });
    this.#meter.follow(this.#agent, known);
  }

  add(samples: readonly BareSample[]): void {
    if (samples.length > 0) this.#meter.add(columnsOf(samples), this.#agent, this.#clock.wallMs());
  }

  text(status: AgentStatus): string {
    const lines = [...renderMetrics(lineFamilies(this.#meter, this.#clock.wallMs()), 'classic')];
    return [...lines, ...renderMetrics(statusFamilies(status), 'classic')].join('');
  }
}
