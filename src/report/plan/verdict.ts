import type { PlanReport } from '../../model/plan/plan.ts';
import { plural } from '../format.ts';

/** The verdict of a plan in a word and a sentence. */
export function verdictWords({ ready, findings, changes }: PlanReport): { word: string; why: string } {
  const count = (wanted: string) => findings.filter(({ verdict }) => verdict === wanted).length;
  const [failed, unknown] = [count('fail'), count('unknown')];
  const grave = findings.filter(({ verdict, severity }) => verdict === 'fail' && severity === 'critical').length;
  if (ready === 'fail')
    return {
      word: 'NOT READY',
      why: `${plural(failed, 'thing fails', 'things fail')}${grave > 0 ? `, ${grave} of them critical` : ''}; ${
        changes.length > 0
          ? `${plural(changes.length, 'change')} below, the most useful first`
          : 'no change is known that mends it'
      }`,
    };
  if (ready === 'unknown')
    return {
      word: 'UNKNOWN',
      why: `nothing fails, but ${plural(unknown, 'thing')} could not be judged from this file`,
    };
  return { word: 'READY', why: `all ${plural(findings.length, 'check')} pass` };
}
