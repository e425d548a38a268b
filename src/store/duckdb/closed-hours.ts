import type { SeriesPoint, SeriesQuery } from '../store.ts';

/** Answers that are kept, and points of all of them together. */
const MOST_ANSWERS = 16;
const MOST_POINTS = 400_000;

interface Answer {
  edition: number;
  fromMs: number;
  toMs: number;
  points: SeriesPoint[];
}

/**
 * Points of hours that are closed, as they were answered before: dashboards ask for the same day again and again, and of it only
 * the open hour changes. An answer holds for as long as the hours have the same edition.
 */
export class ClosedHours {
  /** In the order of their last use. */
  readonly #answers = new Map<string, Answer>();

  async points(
    query: SeriesQuery,
    edition: number,
    ask: (query: SeriesQuery) => Promise<SeriesPoint[]>,
  ): Promise<SeriesPoint[]> {
    const { fromMs, toMs, kind, metric, endpoints, agents, quantiles, by } = query;
    const key = JSON.stringify([kind, metric, endpoints, agents, quantiles, by]);
    const known = this.#answers.get(key);
    this.#answers.delete(key);
    if (known && known.edition === edition && known.fromMs <= fromMs && known.toMs >= toMs) {
      this.#answers.set(key, known);
      if (known.fromMs === fromMs && known.toMs === toMs) return known.points;
      return known.points.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    }
    const points = await ask(query);
    this.#answers.set(key, { edition, fromMs, toMs, points });
    this.#shrink();
    return points;
  }

  #shrink(): void {
    let points = 0;
    for (const answer of this.#answers.values()) points += answer.points.length;
    for (const [key, answer] of this.#answers) {
      if (this.#answers.size <= MOST_ANSWERS && points <= MOST_POINTS) return;
      this.#answers.delete(key);
      points -= answer.points.length;
    }
  }
}
