import type { Finding, Pillar } from '../model/finding.ts';
import type { Network } from '../model/network.ts';
import type { Observation, ObservationKind, ObservationOf } from '../model/observation.ts';

/** What a rule may look at: the observations of one run, by kind and endpoint, in time order. */
export interface View {
  of<K extends ObservationKind>(kind: K, endpoint: string): readonly ObservationOf<K>[];
  /** Observations about the measuring client itself. */
  client(): readonly ObservationOf<'client'>[];
}

/**
 * One judgement, pure: the same input gives the same findings. Emits for every endpoint one finding with verdict pass,
 * fail or unknown, or none where the rule does not apply. All findings of a rule carry its id.
 */
export interface Rule {
  /** Stable kebab-case id; docs/findings/<id>.md explains it. */
  id: string;
  about: string;
  pillar: Pillar;
  judge(network: Network, view: View, now: Date): Finding[];
}

const views = new WeakMap<readonly Observation[], { length: number; view: View }>();

/** A view over a plain list: made once, and again when the list has grown, for renderers ask for it endpoint by endpoint. */
export function viewOf(observations: readonly Observation[]): View {
  const { length } = observations;
  const known = views.get(observations);
  if (known?.length === length) return known.view;
  const view = makeView(observations);
  views.set(observations, { length, view });
  return view;
}

function makeView(observations: readonly Observation[]): View {
  const byKey = new Map<string, Observation[]>();
  for (const o of observations) {
    const key = `${o.kind} ${o.to}`;
    const list = byKey.get(key);
    if (list) list.push(o);
    else byKey.set(key, [o]);
  }
  return {
    of: <K extends ObservationKind>(kind: K, endpoint: string) =>
      (byKey.get(`${kind} ${endpoint}`) ?? []) as ObservationOf<K>[],
    client: () => observations.filter((o) => o.kind === 'client'),
  };
}
