import type { TlsSurvey } from '../../model/secure/tls-survey.ts';
import type { TlsEndpointReport } from '../../model/secure/tls.ts';
import { costsOf } from './costs.ts';
import { harvestExposure, type Secrecy } from './mosca.ts';
import { diagnose, pathChecks } from './path.ts';
import { gatesOf, type Profile } from './profile.ts';
import { verdictOf } from './verdict.ts';

export interface JudgeInput {
  name: string;
  survey: TlsSurvey;
  profile: Profile;
  secrecy: readonly Secrecy[];
  nowMs: number;
}

/** Everything that is said of one endpoint. Pure: the same survey at the same time says the same. */
export function judgeTls({ name, survey, profile, secrecy, nowMs }: JudgeInput): TlsEndpointReport {
  const verdict = verdictOf(survey);
  const checks = pathChecks(survey);
  const diagnosis = diagnose(checks, survey.location);
  const isClean = diagnosis.kind === 'unknown' ? null : diagnosis.kind === 'clean';
  return {
    name,
    survey,
    verdict,
    path: { checks, diagnosis },
    costs: costsOf(survey, verdict),
    gates: gatesOf(profile, survey, verdict, isClean, nowMs),
    exposure: secrecy.map((one) => harvestExposure(verdict, one)),
  };
}
