import type { Figure } from '../../../model/figure.ts';
import type { PlanDemand } from '../../../model/plan/demand.ts';
import type { Link, Network } from '../../../model/network.ts';
import type { OpticalNetworkReport } from '../../../model/plan/optical-network.ts';
import { seededRandom } from '../../../stats/random.ts';
import { planDemand } from '../../demand/demand.ts';
import { assumed, entered, sourced } from '../../figures.ts';
import { linkLength, placesOf } from '../../lengths.ts';
import type { TransceiverMode } from '../modes.ts';
import { publishedModes } from '../mode-table.ts';
import { EQUIPMENT_SOURCE, FIBRE_SOURCE, glassOfKind, settingsFor } from './catalogue.ts';
import { evenSpans } from './line.ts';
import type { OpticalNetworkInput, OpticalStanding } from './plan.ts';

/** What is bought so that its fibre is yours to light. */
const litByUser = new Set<Link['kind']>(['darkFibre', 'mofn', 'spectrum']);

const DEFAULT_LOSS_DB_PER_KM = 0.2;
const DEFAULT_CONNECTOR_DB = 0.5;
/** Width that a wavelength already in use is taken to have. */
const IN_USE_GHZ = 100;

/** Is the light of a link the user's own to send? */
export function isOwnFibre({ kind, fibre }: Link): boolean {
  return litByUser.has(kind) || fibre !== undefined;
}

/** What `plan optical` of a network file looks at: links whose fibre is the user's own, and the traffic between sites. */
export function opticalInput(network: Network, demand: PlanDemand = planDemand(network)): OpticalNetworkInput {
  const { optical } = network.planning;
  return {
    fibres: network.links.flatMap((link) => fibreOf(link, network)),
    demands: demandsOf(network, demand),
    modes: [...publishedModes, ...optical.modes.map(ownMode)],
    settings: settingsFor(optical.marginDb),
    random: seededRandom(1),
  };
}

/** The document of what came of it. */
export function opticalNetworkReport(
  network: Network,
  { fibres, demands }: OpticalNetworkInput,
  standing: OpticalStanding,
  stopped: 'time' | 'interrupted' | null,
): OpticalNetworkReport {
  return {
    schema: 'inferpath/plan-optical@1',
    ...standing.report(),
    of: { links: fibres.length, lightpaths: demands.length },
    ended: stopped === null ? 'complete' : stopped === 'time' ? 'time limit' : stopped,
    figures: figuresOf(network),
  };
}

function fibreOf(link: Link, network: Network): OpticalNetworkInput['fibres'] {
  if (!isOwnFibre(link)) return [];
  const { planning } = network;
  const length = linkLength(link, placesOf(network), planning.routeFactor);
  const spansKm =
    link.fibre?.spansKm ?? (length && length.lengthKm > 0 ? evenSpans(length.lengthKm, planning.optical.spanKm) : null);
  if (!spansKm) return [];
  const {
    type = 'ssmf',
    lossDbPerKm = DEFAULT_LOSS_DB_PER_KM,
    connectorLossDb = DEFAULT_CONNECTOR_DB,
    channels = 0,
  } = link.fibre ?? {};
  return [
    {
      name: link.name,
      from: placeOf(link.from, network),
      to: placeOf(link.to, network),
      spansKm,
      lengthHow: link.fibre?.spansKm ? 'entered' : length!.how,
      glass: glassOfKind(type, lossDbPerKm),
      connectorLossDb,
      reservedGhz: channels * IN_USE_GHZ,
    },
  ];
}

/** The site of a node, or the site itself. */
function placeOf(name: string, { nodes }: Network): string {
  return nodes.find((node) => node.name === name)?.site ?? name;
}

/** Pairs of sites with the larger of both directions, largest first. */
function demandsOf(network: Network, demand: PlanDemand): OpticalNetworkInput['demands'] {
  const pairs = new Map<string, OpticalNetworkInput['demands'][number]>();
  for (const { from, to, gbps } of demand.pairs) {
    const [a, b] = [placeOf(from, network), placeOf(to, network)].sort() as [string, string];
    if (a === b) continue;
    const key = JSON.stringify([a, b]);
    const known = pairs.get(key);
    pairs.set(key, { from: a, to: b, gbps: Math.max(known?.gbps ?? 0, gbps.p99) });
  }
  return [...pairs.values()].sort((x, y) => y.gbps - x.gbps);
}

function ownMode(mode: Network['planning']['optical']['modes'][number]): TransceiverMode {
  const upTo = (limit: number | undefined) =>
    limit === undefined
      ? []
      : ([
          [0, 0],
          [limit, 0],
        ] as const);
  return {
    name: mode.name,
    gbps: mode.gbps,
    format: '',
    baudHz: mode.baudRateGbd * 1e9,
    slotHz: mode.slotWidthGhz * 1e9,
    rollOff: 0.2,
    txOsnrDb: mode.txOsnrDb,
    requiredOsnrDb: mode.requiredOsnrDb01nm,
    penalties: { cdPsPerNm: upTo(mode.maxCdPsPerNm), pmdPs: upTo(mode.maxPmdPs), pdlDb: [] },
    source: 'planning.optical.modes of the network file',
    how: 'entered',
  };
}

function figuresOf({ planning, links }: Network): Figure[] {
  const lossless = links.some((link) => litByUser.has(link.kind) && link.fibre?.lossDbPerKm === undefined);
  return [
    entered('longest span between amplifiers', planning.optical.spanKm, 'km', 'planning.optical.spanKm'),
    entered('GSNR kept in reserve', planning.optical.marginDb, 'dB', 'planning.optical.marginDb'),
    sourced('noise of amplifiers, add and drop', 33, 'dB OSNR', EQUIPMENT_SOURCE),
    assumed('fibre', 16.7, 'ps/(nm·km)', FIBRE_SOURCE),
    ...(lossless
      ? [
          assumed(
            'attenuation where no fibre.lossDbPerKm stands',
            DEFAULT_LOSS_DB_PER_KM,
            'dB/km',
            'G.652 with few splices',
          ),
        ]
      : []),
    assumed('width of a wavelength in use', IN_USE_GHZ, 'GHz', 'fibre.channels says only how many there are'),
    assumed('highest launch power', 2, 'dBm per 50 GHz', 'the best from −4 dBm on is searched for each link'),
  ];
}
