import type { FindingKind } from '../model/finding.ts';

/** Every kind of finding that the parts of `plan` make; docs/findings/<id>.md explains it. */
export const planFindingKinds: readonly FindingKind[] = [
  {
    id: 'failure-over-latency',
    pillar: 'speed',
    about: 'Does every demand stay inside its round trip after any one failure?',
  },
  {
    id: 'demand-over-link',
    pillar: 'scale',
    about: 'Does the traffic of the busiest hour fit into the link that connects two sites?',
  },
  {
    id: 'link-over-limit',
    pillar: 'scale',
    about: 'Does every link stay below its limit, as routed, after failures and in the years to come?',
  },
  {
    id: 'capacity-measured',
    pillar: 'scale',
    about: 'Does each link carry what the file says of it, where throughput was measured?',
  },
  { id: 'link-weights', pillar: 'scale', about: 'What would other link weights alone take off the fullest link?' },
  { id: 'routing-spread', pillar: 'scale', about: 'How much would the best routing take off the fullest link?' },
  {
    id: 'light-does-not-close',
    pillar: 'scale',
    about: 'Does any mode of the transceivers close over your own fibre?',
  },
  {
    id: 'spectrum-full',
    pillar: 'scale',
    about: 'Is there room on the fibre for the wavelengths that the demand needs?',
  },
  {
    id: 'transport-choice',
    pillar: 'scale',
    about: 'Is there an offer that keeps everything that a connection needs?',
  },
  { id: 'fabric-blocking', pillar: 'scale', about: 'Can any half of the GPUs send to the other half at full rate?' },
  { id: 'fabric-single-switch', pillar: 'reliability', about: 'How much of the cluster does one switch take down?' },
  {
    id: 'availability-target',
    pillar: 'reliability',
    about: 'Is every endpoint available as much as planned, from every site of users?',
  },
  {
    id: 'single-point-of-failure',
    pillar: 'reliability',
    about: 'Does anything cut an endpoint off when it alone fails?',
  },
  {
    id: 'no-disjoint-pair',
    pillar: 'reliability',
    about: 'Are there two ways to an endpoint that share nothing that fails?',
  },
  { id: 'failure-loses-demand', pillar: 'reliability', about: 'Does any one failure cut a demand off?' },
  {
    id: 'two-failures-together',
    pillar: 'reliability',
    about: 'Which two failures take down together what neither takes down alone?',
  },
  { id: 'placement-coverage', pillar: 'reach', about: 'Are enough users inside the round trip of their workload?' },
  { id: 'demand-without-path', pillar: 'reach', about: 'Does every demand have a way from its origin to its end?' },
];
