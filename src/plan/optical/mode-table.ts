import type { Penalties, TransceiverMode } from './modes.ts';

/**
 * Open ROADM MSA, optical specification 9.0, as in its catalogue of operational modes (rpc-add-operational-modes-to-catalog 18.0). Two rows that
 * differ only in their type of Ethernet mapping stand once.
 */
const OPEN_ROADM = 'Open ROADM MSA optical specification 9.0, catalogue of operational modes 18.0';
/** OpenZR+ MSA 400G digital coherent optics, revision 3.0, table 11-8. */
const OPEN_ZR_PLUS = 'OpenZR+ MSA revision 3.0, table 11-8';
/** OIF-400ZR-01.0: from a data sheet of a module (required OSNR 26 dB, DGD 10 ps, PDL 2.5 dB); its dispersion limit is generally known. */
const OIF_400ZR = 'OIF-400ZR-01.0 by a module data sheet; CD limit 2400 ps/nm as generally quoted';
const OIF_800ZR =
  'OIF 800ZR (DP-16QAM, 118.2 GBd, CD 2400 ps/nm); its required OSNR is not public, taken from Open ROADM 800G 118 GBd';

const openRoadmPdl = [
  [0, 0],
  [1, 0.5],
  [2, 1],
  [4, 2.5],
] as const;

/** Dispersion up to 4000 ps/nm is free; half a decibel at the limit. Differential group delay up to 10 ps is free. */
function openRoadm(cdLimit: number, pmdLimit: number, pdl: Penalties['pdlDb'] = openRoadmPdl): Penalties {
  return {
    cdPsPerNm: [
      [0, 0],
      [4000, 0],
      [cdLimit, 0.5],
    ],
    pmdPs: [
      [0, 0],
      [10, 0],
      [pmdLimit, 0.5],
    ],
    pdlDb: pdl,
  };
}

const openRoadmPdlTo6 = [...openRoadmPdl, [6, 4]] as const;

function openZrPlus(cdLimit: number, pmdLimit: number): Penalties {
  return {
    cdPsPerNm: [
      [0, 0],
      [cdLimit, 0.5],
    ],
    pmdPs: [
      [0, 0],
      [pmdLimit, 0.5],
    ],
    pdlDb: [
      [0, 0],
      [1.5, 0],
      [3, 1.3],
      [3.5, 1.8],
    ],
  };
}

const zr: Penalties = {
  cdPsPerNm: [
    [0, 0],
    [2400, 0.5],
  ],
  pmdPs: [
    [0, 0],
    [10, 0.5],
  ],
  pdlDb: [
    [0, 0],
    [2.5, 1],
  ],
};

type Row = [
  name: string,
  gbps: number,
  format: string,
  baudGbd: number,
  slotGhz: number,
  osnrDb: number,
  penalties: Penalties,
];

const openRoadmRows: readonly Row[] = [
  ['OR-W-100G-oFEC-31.6Gbd', 100, 'DP-QPSK', 31.6, 50, 12, openRoadm(48_000, 30, openRoadmPdlTo6)],
  ['OR-W-200G-oFEC-31.6Gbd', 200, 'DP-16QAM', 31.6, 50, 20.5, openRoadm(24_000, 30, openRoadmPdlTo6)],
  ['OR-W-200G-oFEC-63.1Gbd', 200, 'DP-QPSK', 63.1, 87.5, 16, openRoadm(24_000, 25)],
  ['OR-W-300G-oFEC-63.1Gbd', 300, 'DP-8QAM', 63.1, 87.5, 21, openRoadm(18_000, 25)],
  ['OR-W-400G-oFEC-63.1Gbd', 400, 'DP-16QAM', 63.1, 87.5, 24, openRoadm(12_000, 20)],
  ['OR-W-400G-oFEC-118Gbd', 400, 'DP-QPSK', 118.2, 150, 17.2, openRoadm(24_000, 25)],
  ['OR-W-400G-oFEC-124Gbd', 400, 'DP-QPSK', 124.1, 150, 17.4, openRoadm(24_000, 25)],
  ['OR-W-600G-oFEC-118Gbd', 600, 'PCS DP-16QAM', 118.8, 150, 21.8, openRoadm(22_000, 25)],
  ['OR-W-600G-oFEC-124Gbd', 600, 'PCS DP-16QAM', 124.7, 150, 22, openRoadm(22_000, 25)],
  ['OR-W-800G-oFEC-118Gbd', 800, 'DP-16QAM', 118.2, 150, 27, openRoadm(12_000, 20)],
  ['OR-W-800G-oFEC-124Gbd', 800, 'DP-16QAM', 124.1, 150, 27.2, openRoadm(12_000, 20)],
  ['OR-W-800G-oFEC-131GbdE', 800, 'PCS DP-16QAM', 131.3, 162.5, 25.1, openRoadm(20_000, 20)],
  ['OR-W-800G-oFEC-131GbdM', 800, 'PCS DP-16QAM', 131.4, 162.5, 26.1, openRoadm(20_000, 20)],
];

const openZrRows: readonly Row[] = [
  ['OpenZR+ 100G', 100, 'DP-QPSK', 30.07, 50, 12.5, openZrPlus(100_000, 30)],
  ['OpenZR+ 200G', 200, 'DP-QPSK', 60.14, 75, 16, openZrPlus(50_000, 25)],
  ['OpenZR+ 300G', 300, 'DP-8QAM', 60.14, 75, 21, openZrPlus(40_000, 25)],
  ['OpenZR+ 400G', 400, 'DP-16QAM', 60.14, 75, 24, openZrPlus(20_000, 20)],
  ['OpenZR+ 400G 8QAM', 400, 'DP-8QAM', 80.18, 100, 22.5, openZrPlus(30_000, 20)],
];

function mode(
  txOsnrDb: number,
  rollOff: number,
  source: string,
  how: 'sourced' | 'assumed',
  [name, ...row]: Row,
): TransceiverMode {
  const [gbps, format, baudGbd, slotGhz, requiredOsnrDb, penalties] = row;
  return {
    name,
    gbps,
    format,
    baudHz: baudGbd * 1e9,
    slotHz: slotGhz * 1e9,
    rollOff,
    txOsnrDb,
    requiredOsnrDb,
    penalties,
    source,
    how,
  };
}

/**
 * Modes of transceivers that are published. Slots are the channel width of the source on the next multiple of 12.5 GHz (ITU-T G.694.1). 1.6T: no
 * required OSNR is public; the row is the 800G mode at twice the symbol rate, which needs 3 dB more, and is called assumed.
 */
export const publishedModes: readonly TransceiverMode[] = [
  ...openRoadmRows.map((row) => mode(37, 0.2, OPEN_ROADM, 'sourced', row)),
  ...openZrRows.map((row) => mode(34, 0.2, OPEN_ZR_PLUS, 'sourced', row)),
  mode(34, 0.2, OIF_400ZR, 'sourced', ['400ZR', 400, 'DP-16QAM', 59.84, 75, 26, zr]),
  mode(34, 0.2, OIF_800ZR, 'assumed', ['800ZR', 800, 'DP-16QAM', 118.2, 150, 27, zr]),
  mode(37, 0.2, 'assumed: Open ROADM 800G 118 GBd at twice the symbol rate, +3 dB', 'assumed', [
    '1.6T (assumed)',
    1600,
    'DP-16QAM',
    236.4,
    300,
    30,
    openRoadm(12_000, 20),
  ]),
];
