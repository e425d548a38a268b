import type { Finding } from '../../../model/finding.ts';
import type { OpticalNetworkReport } from '../../../model/plan/optical-network.ts';

/** Does the light close on each fibre of one's own, and is there room for the wavelengths that the demand needs? */
export function opticalFindings({ links, lightpaths, spectrum }: OpticalNetworkReport): Finding[] {
  return [
    ...links.map(linkFinding),
    ...lightpaths
      .filter(({ links, why }) => links.length > 0 && why !== '')
      .map(({ from, to, gbps, why }) =>
        failed(
          'light-does-not-close',
          `${from} → ${to}`,
          `${from} → ${to} needs ${round(gbps)} Gbit/s of light: ${why}`,
        ),
      ),
    ...(spectrum.fits || lightpaths.length === 0
      ? []
      : [
          failed(
            'spectrum-full',
            'own fibre',
            `own fibre needs ${spectrum.usedSlots} slots of 12.5 GHz where one pair has ${spectrum.totalSlots}; no assignment does with fewer than ${spectrum.lowerBoundSlots}`,
          ),
        ]),
  ];
}

function linkFinding({
  name,
  gsnrDb01nm,
  lengthKm,
  why,
  closes,
  maxTbps,
}: OpticalNetworkReport['links'][number]): Finding {
  const [best] = closes;
  if (gsnrDb01nm === null || !best)
    return failed(
      'light-does-not-close',
      name,
      `${name} (${round(lengthKm)} km) cannot be lit: ${why || 'no mode closes'}`,
    );
  const evidence = {
    metric: 'GSNR of the worst channel',
    value: gsnrDb01nm,
    unit: 'dB/0.1 nm',
    n: 96,
    how: 'GN model, full band',
  };
  return {
    ...common('light-does-not-close', name),
    verdict: 'pass',
    severity: 'info',
    claim: `${name} carries ${best.gbps} Gbit/s a wavelength with ${best.marginDb.toFixed(1)} dB to spare (${best.mode}), ${maxTbps.toFixed(1)} Tbit/s a fibre pair`,
    evidence: [evidence],
    confidence: best.how === 'assumed' ? 'low' : 'medium',
  };
}

function failed(id: string, subject: string, claim: string): Finding {
  return { ...common(id, subject), verdict: 'fail', severity: 'critical', claim, evidence: [], confidence: 'medium' };
}

const common = (id: string, subject: string) => ({ id, subject, pillar: 'scale' as const, details: [], coverage: 1 });

const round = (value: number) => Math.round(value).toLocaleString('en');
