import type { ImportFormat } from '../model/import.ts';
import { fpingJsonImporter } from './fping-json.ts';
import { fpingImporter } from './fping.ts';
import type { Detection, Importer } from './importer.ts';
import { hpingImporter } from './hping.ts';
import { iperfJsonImporter } from './iperf3-json.ts';
import { iperfTextImporter } from './iperf3-text.ts';
import { mtrCsvImporter } from './mtr-csv.ts';
import { mtrJsonImporter } from './mtr-json.ts';
import { mtrRawImporter } from './mtr-raw.ts';
import { mtrReportImporter } from './mtr-report.ts';
import { pathpingImporter } from './pathping.ts';
import { pingWindowsImporter } from './ping-windows.ts';
import { pingImporter } from './ping.ts';
import { scamperImporter } from './scamper.ts';
import { testConnectionImporter } from './test-connection.ts';
import { tracepathImporter } from './tracepath.ts';
import { tracerouteImporter } from './traceroute.ts';
import { tracertImporter } from './tracert.ts';

/** Every importer. A new one is one file beside this, one line here and its name in model/import.ts. */
export const importers: readonly Importer[] = [
  pingImporter,
  pingWindowsImporter,
  mtrJsonImporter,
  mtrReportImporter,
  mtrRawImporter,
  mtrCsvImporter,
  tracerouteImporter,
  tracertImporter,
  pathpingImporter,
  tracepathImporter,
  testConnectionImporter,
  fpingImporter,
  fpingJsonImporter,
  scamperImporter,
  iperfJsonImporter,
  iperfTextImporter,
  hpingImporter,
];

/** An importer is chosen from this confidence on. */
const CHOSEN = 0.5;

export type Choice =
  | { ok: true; importer: Importer; why: string }
  /** Nobody knows the text; the nearest guess, where there is one. */
  | { ok: false; nearest: { format: ImportFormat; why: string } | null };

/** The importer that is surest of a text, or the nearest guess. */
export function chooseImporter(head: string): Choice {
  let best: { importer: Importer; detection: Detection } | null = null;
  for (const importer of importers) {
    const detection = importer.detect(head);
    if (detection.confidence > (best?.detection.confidence ?? 0)) best = { importer, detection };
  }
  if (best && best.detection.confidence >= CHOSEN)
    return { ok: true, importer: best.importer, why: best.detection.why };
  return { ok: false, nearest: best && { format: best.importer.format, why: best.detection.why } };
}
